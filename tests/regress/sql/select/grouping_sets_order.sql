-- Grouping sets: sub-selects see the groups, rows come as sorted where PostgreSQL sorts.
create temp table t(a int, b int, c int);
insert into t values (1,10,5),(1,20,6),(2,10,7),(3,null,1),(null,5,1);
create temp table u(a int, b int);
insert into u values (1,1),(2,2),(3,3),(2,9);
select a, (select u.a from u order by u.a limit 1) from t group by rollup(a) order by 1;
select a, (select count(*) from u where u.a = t.a), grouping(a) from t group by rollup(a) order by 1, 3;
select a, (select sum(u.b) from u where u.a < sum(t.b) + t.a) from t group by cube(a) order by 1,2;
select a, exists (select 1 from u where u.a = t.a and u.b < count(t.c)), grouping(a)
from t group by cube(a) order by 1,2,3;
select a, sum(b) from t group by rollup(a)
having sum(b) > any (select u.b from u where u.a >= t.a) order by 1;
select a, b, (select array_agg(x order by x) from (values (t.a),(t.b)) v(x))
from t group by cube(a,b) order by 1,2,3;
select a, rank(a) within group (order by b nulls last)
from (values (1,1),(1,4),(3,1)) v(a,b) group by rollup(a) order by a;
set enable_hashagg = off;
select a, b, grouping(a,b), sum(c) from t group by rollup(a,b);
select a, b, sum(c) from t group by rollup(b,a);
select a, b, sum(c) from t group by rollup(a,b) order by a desc, b;
select a, b, sum(c) from t group by cube(a,b);
select a, b, c, count(*) from t group by grouping sets ((a,b),(b,c),(c,a),(a),(b),(c));
select a, b, count(*) from t group by grouping sets ((),(a),(b,a),(b),(b),(a,b));
select a, b, generate_series(1,2) from t group by rollup(a,b);
explain (costs off) select a, b, count(*) from t group by rollup(a,b);
reset enable_hashagg;
select a, b, count(distinct c) from t group by rollup(a,b);
select a, percentile_disc(0.5) within group (order by c) from t group by rollup(a);
select 1 from t group by cube(a,b,c,a,b,c), cube(a,b,c,a,b,c), rollup(a);
select a, grouping(b) from t group by c;
