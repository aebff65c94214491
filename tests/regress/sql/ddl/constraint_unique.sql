-- UNIQUE and PRIMARY KEY: NULLs, NULLS NOT DISTINCT, error fields
-- xfail: of several violated keys another one is reported
create table t (a int unique, b text, c text, unique (b, c), constraint named unique (c) include (a));
insert into t values (1, 'x', 'y'), (null, null, 'z'), (null, 'x', null);
insert into t values (1, 'p', 'q');
insert into t values (2, 'x', 'y');
insert into t values (3, 'x', 'z');
create table n (a int, unique nulls not distinct (a));
insert into n values (null);
insert into n values (null);
create table p (a int, b int, primary key (a, b));
insert into p values (1, 1), (1, 2);
insert into p values (1, 2);
insert into p values (1, null);
create table two (a int primary key, b int primary key);
create unique index u on p (b) where a > 5;
insert into p values (2, 1), (3, 1);
insert into p values (6, 1), (7, 1);
create unique index dup on t ((length(b)));
select conname, contype from pg_constraint where conrelid in ('t'::regclass, 'p'::regclass) order by 1;
update p set b = 1;
