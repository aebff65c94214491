-- Statistical, boolean, string, array and ordered-set aggregates
create table n (x int, y float8);
insert into n values (1, 2), (2, 4.5), (3, 6), (4, null), (null, 1);
select var_pop(x), var_samp(x), stddev(x), stddev_pop(x), variance(y) from n;
select corr(x, y), covar_pop(x, y), regr_slope(y, x), regr_count(y, x) from n;
select string_agg(x::text, ',' order by x desc), array_agg(x order by x nulls first), bit_and(x), bit_or(x), bit_xor(x) from n;
select percentile_cont(0.5) within group (order by x), percentile_disc(0.5) within group (order by x), mode() within group (order by x % 2) from n;
select percentile_cont(array[0.25, 0.75]) within group (order by x), rank(3) within group (order by x), dense_rank(3) within group (order by x), percent_rank(2) within group (order by x) from n;
select sum(x::int8), sum(x::numeric), sum(y), avg(x::numeric), avg(y), pg_typeof(avg(x::int8)), pg_typeof(sum(x::int2)) from n;
select string_agg(distinct x::text, ',' order by x::text) from n;
select max(b), min(b) from (values ('b'::text), ('a')) v(b);
select sum('a'::text);
select count();
select percentile_cont(2) within group (order by x) from n;
select any_value(1);
