-- Set-returning functions as the keys of windows and groups
create table t(a int, v int); insert into t values (1,10),(2,20);
select sum(v) over (order by generate_series(1,2)) from t order by 1;
select a, generate_series(1,2) g, rank() over (order by generate_series(1,2)) from t order by 1,2;
select a, generate_series(1,2) g, rank() over (order by a) from t order by 1,2;
select a, generate_series(1,2) g, count(*) over (partition by generate_series(1,2) order by a) from t order by 1,2;
select a, generate_series(1,a), count(*) from t group by 1,2 order by 1,2;
