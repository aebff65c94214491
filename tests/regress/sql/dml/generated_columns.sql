-- Stored generated columns
create table g (a int, b int generated always as (a * 2) stored, c text);
insert into g (a) values (1), (null) returning *;
insert into g (a, b) values (1, 5);
insert into g (a, b) values (3, default) returning b;
update g set a = 10 where a = 1 returning *;
update g set b = 1;
select * from g order by a;
create table bad (a int, b int generated always as (b + 1) stored);
create table bad (a int, b int generated always as (a + random()) stored);
create table bad (a int, b int default 1 generated always as (a) stored);
alter table g alter b drop expression;
insert into g (a, b) values (5, 6) returning *;
