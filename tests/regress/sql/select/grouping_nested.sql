-- Nested lists in GROUP BY, GROUPING() in sub-selects, WITH inside a recursive term
create table t(a int, b int, c text);
insert into t values (1,1,'x'),(1,2,'x'),(2,1,'y'),(null,3,'z');
select (select grouping(a)) from t group by rollup(a) order by 1;
select grouping(a), 'x' from t group by cube(a) order by 1;
select count(*) from t group by ((a,b),c) order by 1;
select a, b, count(*) from t group by rollup(((a,b)),c) order by 1,2,3;
select array_agg(v) from (values (array[1,2]),(array[]::int[])) t(v);
with recursive t as (select 1 as n union all (with q as (select * from t) select n+1 from q where n<3)) select * from t order by 1;
create view ties as select a from t order by a fetch first 2 rows with ties;
select pg_get_viewdef('ties');
