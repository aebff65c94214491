-- CREATE TABLE AS and SELECT INTO: names, types, WITH NO DATA
create table a as select 1 as x, 'y'::text as y, 2.5;
select * from a;
create table b (p, q) as select * from a limit 0;
create table b2 (p) as values (1), (2);
create table c as table b2 with no data;
select count(*) from c;
create table if not exists a as select 1;
create table a as select 1;
create table e as select 1 as x, 2 as x;
create table f (a, b, c) as select 1;
select column_name, data_type from information_schema.columns where table_name = 'a' order by ordinal_position;
create temp table tt on commit preserve rows as select 1 as one;
select * from tt;
