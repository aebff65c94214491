-- SET clauses of functions are tried; DISCARD ALL discards
set default_text_search_config = no_such_config;
create function f1() returns int language sql set work_mem='foo' as 'select 1';
create function f1() returns int language sql set nosuch='foo' as 'select 1';
create function f1() returns int language sql set datestyle='ISO, foo' as 'select 1';
create function f1() returns int language sql set work_mem='1MB' set search_path = a, b as 'select 1';
select proconfig from pg_proc where proname='f1';
alter function f1() set work_mem='bar';
alter function f1() set work_mem from current reset search_path;
select proconfig from pg_proc where proname='f1';
create function f2() returns int language sql set default_text_search_config=no_such_config as 'select 1';
begin; discard all; rollback;
listen x; prepare p as select 1; begin; declare c cursor with hold for select 1; commit; select pg_advisory_lock(3);
discard all;
select * from pg_listening_channels(); select name from pg_prepared_statements; select name from pg_cursors; select count(*) from pg_locks where locktype='advisory';
set plpgsql.foo = 1;
load 'plpgsql';
set plpgsql.foo = 1; show plpgsql.foo;
