-- UNION, INTERSECT, EXCEPT, their types and errors
select 1 union select 2 union select 1 order by 1;
select 1 union all select 1;
select * from generate_series(1, 4) intersect select * from generate_series(3, 6) order by 1;
select x from (values (1), (1), (2)) v(x) except all select 1 order by 1;
select 1 as a union select 2.5 order by a;
select 'a' union select null order by 1;
select null union select null;
select 1 union select 'x';
select 1, 2 union select 1;
select 1 union select date '2024-01-01';
(select 3 order by 1 limit 1) union all (select 1) order by 1;
select 1 as x union select 2 order by y;
select 1 as x union select 2 order by x + 1;
select 1 intersect select 1 union select 3 except select 4 order by 1;
select pg_typeof(a) from (select 1::int2 as a union all select 1::int8) s limit 1;
values (1, 'a'), (2, 'b') order by 1 desc;
values (1), (1, 2);
