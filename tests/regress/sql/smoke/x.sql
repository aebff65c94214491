-- Try the runner
select 1 as a, 'x'::varchar(3) as b, null::int;
create table t (a int primary key, b text);
insert into t values (1, 'x'), (1, 'y');
begin;
-- conn: b
insert into t values (5, E'a\nb') returning *;
-- conn: main
select oid, relname from pg_class where relname = 't';
-- bind: ["1", null]
select $1::int + 1, $2;
-- bind: []
-- max_rows: 2
select g from generate_series(1, 5) g;
select x;
copy t from stdin;
7	seven
8	eight
\.
copy t to stdout;
rollback;
create function f() returns int begin atomic select case when true then 1 else 2 end; end;
select f() \; select 2;
set timezone to 'Europe/Berlin';
select current_database();
