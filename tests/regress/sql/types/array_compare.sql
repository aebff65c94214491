-- Arrays and rows compare element by element
select v from (values (array[2]), (array[1, 5]), (array[1]), ('{}'::int[]), (array[null::int]), (array[10])) x(v) order by v;
select array_agg(v order by v) from (values ('b'), ('a')) x(v);
select array[1,2] = array[1,2], array[1.0] = array[1.00], array[[1],[2]] = array[1,2], array[1] = array['1'];
create table t (a int[] unique);
insert into t values ('{1,2}');
insert into t values (array[1,2]);
