-- A function that a query calls writes to a table for the first time in a session, in the middle of the query
-- conn: a
create table src (fd int);
insert into src values (1), (2), (3);
create table log (a int check (a < 100));
create table parent (a int primary key);
create table child (a int references parent);
create function f(x int) returns int language plpgsql as $$ begin insert into log values (x); insert into parent values (x); insert into child values (x); return x; end $$;
create function g(x int) returns int language plpgsql as $$ begin create temp table if not exists made (a int check (a > 0)); insert into made values (x); return x; end $$;
-- conn: b
select f(fd), (select count(*) from src) from src;
select * from child;
-- conn: c
begin;
select f(s.fd + 10) from src s join src t on t.fd = s.fd where t.fd > 1;
select count(*) from log;
rollback;
select count(*) from log;
update src set fd = f(fd + 20) where (select count(*) from log) > 0 returning fd;
select f(fd + 180) from src;
select count(*) from log;
-- conn: d
set client_min_messages = warning;
select g(fd) from src;
select * from made;
-- conn: e
set client_min_messages = warning;
begin;
select g(s.fd), t.fd from src s left join lateral (select * from src u where u.fd = s.fd) t on true;
select * from made;
select lo_creat(-1) > 0 from src;
commit;
-- conn: a
drop table src, log, child, parent;
drop function f, g;
