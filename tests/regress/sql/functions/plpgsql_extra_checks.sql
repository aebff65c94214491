-- plpgsql.extra_errors, extra_warnings, variable_conflict
create table t(a int, b int); insert into t values (1,2),(3,4);
set plpgsql.extra_warnings = 'all';
show plpgsql.extra_warnings;
create function sh(f1 int) returns int language plpgsql as $$ declare f1 int; x int; begin for x in 1..2 loop null; end loop; declare x int; begin null; end; return 1; end $$;
select sh(1);
do $$ declare x int; begin declare x int; begin null; end; end $$;
set plpgsql.extra_errors = 'shadowed_variables';
create or replace function sh(f1 int) returns int language plpgsql as $$
declare f1 int; begin return 1; end $$;
set plpgsql.extra_errors = 'strict_multi_assignment, too_many_rows';
show plpgsql.extra_errors;
do $$ declare x int; y int; begin select 1,2,3 into x, y; end $$;
do $$ declare x int; y int; begin select 1 into x, y; end $$;
do $$ declare r record; x int; begin select a into x from t; end $$;
do $$ declare r t; x int; begin select 1 into r; end $$;
do $$ declare r t; x int; begin select 1,2,3 into r; end $$;
do $$ declare x int; begin execute 'select a from t' into x; end $$;
do $$ declare x int; begin for x in select a, b from t loop null; end loop; end $$;
reset plpgsql.extra_errors;
do $$ declare x int; y int; begin select 1,2,3 into x, y; select 1 into x, y; select a into x from t; raise notice '%', x; end $$;
do $$ declare r t; begin select 1 into r; r := row(1); r := row(1,2,3); end $$;
do $$ declare x int; begin for x in select a, b from t loop null; end loop; end $$;
do $$ declare x int; begin execute 'select a from t' into x; insert into t values (1,1),(2,2) returning a into x; end $$;
set plpgsql.extra_warnings='none'; set plpgsql.extra_warnings='shadowed_variables,none'; set plpgsql.extra_warnings=''; set plpgsql.extra_warnings='too_many_rows';
do $$ declare x int; begin select a into x from t; raise notice '%', x; end $$;
do $$ declare x int; begin if 1,2 then null; end if; end $$;
do $$ declare x int; begin raise notice '%', (1,2); return; end $$;
do $$ declare x int; begin if a = 1 from t then null; end if; end $$;
create function vc(a int) returns int language plpgsql as $$ begin select a into a from t; return a; end $$; select vc(1);
create or replace function vc(a int) returns int language plpgsql as $$ #variable_conflict use_column
begin select a into a from t limit 1; return a; end $$; select vc(7);
create or replace function vc(a int) returns int language plpgsql as $$ #variable_conflict use_variable
begin select a into a from t limit 1; return a; end $$; select vc(7);
create or replace function vc(a int) returns int language plpgsql as $$ #variable_conflict foo
begin return a; end $$;
create or replace function vc(a int) returns int language plpgsql as $$ #foo
begin return a; end $$;
set plpgsql.variable_conflict = use_column; do $$ declare a int := 99; begin select a into a from t limit 1; raise notice '%', a; end $$; set plpgsql.variable_conflict=foo; reset plpgsql.variable_conflict;
set plpgsql.nosuch = 1; show plpgsql.nosuch; set plpgsql.check_asserts = 'x';
