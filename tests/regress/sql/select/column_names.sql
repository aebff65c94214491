-- Names of result columns: of columns, functions, casts, and ?column?
-- xfail: SQL/XML expressions are not supported
select 1, 'a', 1 + 1, now() is null, upper('a'), 1::int8, cast('1' as numeric), case when true then 1 end, case when true then pi() end, array[1], row(1), exists(select 1), (select 5 as z), coalesce(1, 2), greatest(1, 2), nullif(1, 2), current_date is null, 1 as "Quoted Name", (row(1,2)).f1, not true, 'a' || 'b', (array[1,2])[1], interval '1 day', true;
select current_user is not null, session_user is null, current_schema, current_catalog is null, extract(year from date '2024-01-01'), substring('abc' from 1), position('a' in 'a'), trim('a'), overlay('abc' placing 'x' from 1), xmlelement(name a) is null, grouping(x), collation for ('a') from (values (1)) v(x) group by x;
