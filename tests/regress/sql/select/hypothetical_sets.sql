-- Hypothetical and ordered sets: order of the columns, no rows, errors in steps
create table s(x int, g text); insert into s values (1,'a'),(3,'b'),(5,null),(null,'b');
select rank(3) within group (order by x), rank(3) within group (order by x desc), dense_rank(3) within group (order by x desc nulls last), cume_dist(3) within group (order by x desc), percent_rank(4) within group (order by x desc nulls last) from s;
select rank(3) within group (order by x), dense_rank(3) within group (order by x), percent_rank(3) within group (order by x), cume_dist(3) within group (order by x), percentile_cont(0.5) within group (order by x), percentile_disc(array[0.5]) within group (order by x), mode() within group (order by x) from s where false;
select rank(3) within group (order by x) filter (where x > 100), percentile_disc(0.5) within group (order by x) filter (where x > 100) from s group by g order by g;
select percentile_disc(5) within group (order by x) from s where false;
select percentile_disc(array[5]) within group (order by x) from s where false;
select rank(null) within group (order by x), rank(null) within group (order by x desc) from s;
select q, (select rank(q) within group (order by x) from s) from generate_series(1,5,2) q order by q;
select json_object_agg(case when v=2 then null else v end, v) from generate_series(1,3) v;
select percentile_disc(0.5) within group (order by v) from generate_series(1,3) v;
select max(e) from (select json_object_agg(case when v=2 then null else v::text end, v) over (order by v)::text from generate_series(1,3) v) q(e);
