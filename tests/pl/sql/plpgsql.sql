-- The statements of PL/pgSQL, its errors and their CONTEXT, procedures that end transactions
create table t(a int, b text); insert into t values (1,'x'),(2,'y'),(3,'z');
do $$ declare r record; s text := ''; i int; begin for i in 1..3 loop s := s || i; end loop; raise notice '%', s;
for i in reverse 6..1 by 2 loop raise notice 'i=%', i; end loop;
for r in select * from t order by a loop raise notice '% %', r.a, r.b; end loop;
for r in execute 'select * from t where a > $1' using 1 loop raise notice '%', r; end loop; end $$;
do $$ declare x int; y text; begin select a,b into x,y from t where a=2; raise notice '% % %', x,y,found; select a into x from t where a=99; raise notice '% %', x, found; update t set b = b||'!' ; get diagnostics x = row_count; raise notice 'rc %', x; end $$;
do $$ begin select a into strict a from t; end $$;
do $$ declare x int; begin select a into strict x from t; end $$;
do $$ declare x int; begin select a into strict x from t where a = 9; end $$;
do $$ declare x int; begin x := 1/0; exception when division_by_zero then raise notice 'caught % %', sqlstate, sqlerrm; end $$;
do $$ declare x int; begin insert into t values (10,'ten'); begin insert into t values (11,'el'); perform 1/0; exception when others then get stacked diagnostics x = row_count; end; end $$;
do $$ declare x text; y text; begin insert into t values (10,'ten'); begin insert into t values (11,'el'); perform 1/0; exception when others then get stacked diagnostics x = message_text, y = pg_exception_context; raise notice '% / %', x, y; end; end $$;
select * from t order by a;
create function g(n int) returns setof int language plpgsql as $$ begin for i in 1..n loop return next i*i; end loop; return query select a from t where a < 3 order by a; end $$;
select * from g(3); select g(2);
create function h(a int, out b int, out c text) language plpgsql as $$ begin b := a*2; c := 'c'||a; end $$;
select h(2); select * from h(3); select (h(4)).c;
create function tt() returns table(x int, y text) language plpgsql as $$ begin return query select a, t.b from t order by a; x := 100; y := 'last'; return next; end $$;
select * from tt();
create function fact(n int) returns bigint language plpgsql as $$ begin if n <= 1 then return 1; end if; return n * fact(n-1); end $$;
select fact(10);
create function arr(int[]) returns int language plpgsql as $$ declare s int := 0; x int; m int[] := $1; begin foreach x in array $1 loop s := s + x; end loop; m[2] := 77; raise notice '%', m; return s; end $$;
select arr(array[1,2,3]);
do $$ declare r t%rowtype; v t.a%type := 5; begin r.a := 3; r.b := 'q'; raise notice '% %', r, v; select * into r from t where a=1; raise notice '%', r.b; insert into t select r.*; end $$;
do $$ declare c cursor (k int) for select * from t where a > k order by a; r record; begin open c(1); fetch c into r; raise notice '%', r; move c; fetch c into r; raise notice '% %', r, found; close c; for r in c(2) loop raise notice 'loop %', r.a; end loop; end $$;
create function rc() returns refcursor language plpgsql as $$ declare c refcursor := 'mycur'; begin open c for select a from t order by a; return c; end $$;
begin; select rc(); fetch 2 from mycur; commit;
do $$ begin <<outer>> for i in 1..3 loop for j in 1..3 loop continue outer when j = 2; exit outer when i = 3; raise notice '% %', i, j; end loop; end loop; end $$;
do $$ declare x int := 3; begin case x when 1,2 then raise notice 'low'; when 3 then raise notice 'three'; end case; case when x > 5 then null; else raise notice 'else'; end case; case x when 9 then null; end case; end $$;
create procedure p(inout a int, b int) language plpgsql as $$ begin a := a + b; insert into t values (a, 'p'); commit; insert into t values (a+1, 'rolled'); rollback; end $$;
call p(1, 20);
select * from t where a > 20;
do $$ declare z int := 5; begin call p(z, 30); raise notice '%', z; end $$;
begin; call p(1,2); rollback;
create function noret() returns int language plpgsql as $$ begin end $$; select noret();
do $$ begin assert 1=2, 'oops'; end $$;
do $$ begin raise division_by_zero using message='m', detail='d', column='c', table='tab'; end $$;
do $$ begin raise sqlstate 'U1234'; end $$;
do $$ begin raise; end $$;
create function bad() returns int language plpgsql as $$
begin
  x := 1;
end $$;
create function bad() returns int language plpgsql as $$
begin
  if x then return 1 end if;
end $$;
create function bad() returns int language plpgsql as $$
declare x foo;
begin
end $$;
create function bad2() returns int language plpgsql as $$
begin
  return nosuch + 1;
end $$;
select bad2();
create function amb(a int) returns int language plpgsql as $$ begin return (select a from t limit 1); end $$; select amb(1);
do $$ declare r record; begin raise notice '%', r.a; end $$;
do $$ declare r record; begin select 1 as a into r; raise notice '%', r.b; end $$;
do $$ begin select 1; end $$;
do $$ begin perform nosuchfunc(); end $$;
do $$ begin execute 'select foo bar baz'; end $$;
do $$ begin execute null; end $$;
do $$ declare x constant int := 1; begin x := 2; end $$;
do $$ declare x int not null := 1; begin x := null; end $$;
do $$ declare x varchar(3); begin x := 'abcdef'; end $$;
do $$ declare x numeric(5,2) := 1.239; y int := '12'; z int := 2.6; begin raise notice '% % %', x,y,z; end $$;
do $$ declare x int := 'abc'; begin end $$;
create function poly(anyelement) returns anyarray language plpgsql as $$ begin return array[$1, $1]; end $$;
select poly(1), poly('a'::text);
create function vari(variadic a int[]) returns int language plpgsql as $$ begin return array_length(a,1); end $$; select vari(1,2,3);
do $$ declare j jsonb := '{"a":[1,2]}'; e record; begin for e in select * from jsonb_array_elements(j->'a') as q(v) loop raise notice '%', e.v; end loop; end $$;
create function outer_f() returns void language plpgsql as $$ begin perform fact2(1); end $$;
create function fact2(int) returns void language plpgsql as $$ begin raise notice 'in'; perform 1/0; end $$;
select outer_f();
do $$ declare x int; begin create temp table tmp1(a int); insert into tmp1 values (1),(2); select count(*) into x from tmp1; raise notice '%', x; drop table tmp1; end $$;
do $$ begin for i in 1..2 loop begin create temp table tmp2(a int); exception when duplicate_table then raise notice 'dup'; end; end loop; end $$;
