-- GROUPING SETS, ROLLUP, CUBE
create table s (a text, b text, v int);
insert into s values ('x', 'p', 1), ('x', 'q', 2), ('y', 'p', 3);
select a, b, sum(v), grouping(a, b) from s group by rollup (a, b) order by grouping(a, b), a, b;
select a, b, sum(v) from s group by cube (a, b) order by grouping(a, b), a, b;
select a, b, sum(v) from s group by grouping sets ((a), (b), ()) order by grouping(a, b), a, b;
select a, count(*) from s group by grouping sets (a, ()) having count(*) > 1 order by 1;
select grouping(a) from s;
