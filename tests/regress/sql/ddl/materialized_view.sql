-- Materialized views
create table t (a int);
insert into t values (1);
create materialized view m as select a, a * 2 as d from t;
insert into t values (2);
select * from m;
refresh materialized view m;
select * from m order by a;
create materialized view e as select 1 as x with no data;
select * from e;
refresh materialized view e;
select * from e;
insert into m values (1);
refresh materialized view concurrently m;
create unique index on m (a);
refresh materialized view concurrently m;
drop view m;
drop materialized view m;
