-- Columns used by views and constraints
create table t (a int, b int, c int check (c > 0), unique (a, b));
create view v as select a, b from t;
alter table t drop column b;
alter table t alter b type text;
alter table t drop column b cascade;
select * from v;
alter table t drop column c;
insert into t values (1);
create table p (id int primary key);
create table q (pid int references p);
alter table p drop column id;
alter table p drop constraint p_pkey;
alter table p drop constraint p_pkey cascade;
insert into q values (99);
