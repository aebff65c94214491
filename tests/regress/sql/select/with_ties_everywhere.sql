-- WITH TIES and DISTINCT ON hold around set operations, grouping sets and set-returning functions.
create temp table few(id int, d text);
insert into few values (1,'a'),(2,'b'),(2,'c'),(3,'d'),(3,'e');
select id from few union all select id from few order by id fetch first 3 rows with ties;
select id from few union select id+1 from few order by id desc fetch first 2 rows with ties;
select id, count(*) from few group by rollup(id) order by count(*), id fetch first 2 rows with ties;
select 1 as one from few group by rollup(id) order by 1 fetch first 1 rows with ties;
select id, generate_series(1,2) g from few order by id fetch first 3 rows with ties;
select distinct id::numeric from few order by 1 offset 1 fetch first 1 rows with ties;
select id from few order by id offset 2 fetch first 0 rows with ties;
select id from few order by id fetch first (select null::int) rows with ties;
select distinct on (id) id, generate_series(1,2) g from few order by id, g desc;
select distinct on (id) id, d, generate_series(1,2) g from few order by id, d desc;
select distinct on (g) id, generate_series(1,2) g from few order by g, id desc;
select distinct on (a) a, b, count(*)
from (values (1,1),(1,2),(2,2)) v(a,b) group by rollup(a,b) order by a,b;
select distinct grouping(a,b) from (values (1,1),(1,2),(2,2)) v(a,b) group by cube(a,b) order by 1;
select having true;
-- a set-returning operator, and a set-returning function among the grouping sets
create function pg_temp.upto(int) returns setof int language sql as 'select generate_series(1,$1)';
create operator pg_temp.|@| (rightarg=int, function=pg_temp.upto);
select operator(pg_temp.|@|) 3;
select 5 + (operator(pg_temp.|@|) 2), generate_series(1,3);
select id, g, count(*) from (select id, 7 as g from few) s
group by rollup(id, generate_series(1,2)), g order by 1,2,3;
select id, generate_series(1,2) as n, count(*), rank() over (order by id)
from few group by rollup(id, n) order by 1,2,3,4;
-- the errors
select distinct on (json '1') 1;
select 1 group by json '1';
select string_agg(distinct f, ',' order by f::text) from (values ('a'::varchar)) v(f);
select count(*) over (order by array[1] range between 1 preceding and current row);
