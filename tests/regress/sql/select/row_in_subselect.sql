-- Rows in sub-selects; _pg_expandarray
create table ri(a int, b text);
insert into ri values (1,'x'),(2,null),(null,'y'),(3,'z');
select a, b, (a,b) in (select a,b from ri) i, (a,b) not in (select a,b from ri where a=1) n, (a,b) = any (select 1,'x'::text) e, (a,b) <> all (select a,b from ri where b is not null) na from ri order by 1,2;
select (1,'X'::text) in (select a,b from ri), (1,'x'::varchar) in (select a,b from ri), (1.0,'x') in (select a,b from ri), (b,a) in (select b,a from ri) from ri;
select (1::numeric,'x') in (select 1.00::numeric,'x'::text), (row(1,2)) in (select 1,2), (1,2) not in (select 1,null::int), (1,2) not in (select 2,null::int), (null::int,2) in (select 1,2 where false);
select (x).n, (x).x from (select information_schema._pg_expandarray(array['a','b',null]) x) s;
select * from information_schema._pg_expandarray('[3:4]={7,8}'::int[]);
select * from information_schema._pg_expandarray('1 2'::int2vector);
select * from information_schema._pg_expandarray('{{1,2},{3,4}}'::int[]);
select * from information_schema._pg_expandarray('{}'::int[]);
select * from information_schema._pg_expandarray('{1,2}'::numeric[]);
select * from information_schema._pg_expandarray('{\\x01}'::bytea[]);
select * from information_schema._pg_expandarray(null::int[]);
