select 1
select 'a' as x, null, 1.5, true
select relname, c.oid from pg_class c join pg_namespace n on n.oid=c.relnamespace where relkind='r' order by 1 limit 3
select * from pg_namespace
select c.* from pg_namespace c, pg_am a
select * from pg_namespace natural join pg_am
select * from pg_namespace n join pg_am a using (oid)
select oid from pg_namespace n full join pg_am a using (oid)
select n.oid, a.oid, j.oid from pg_namespace n left join pg_am a using (oid) as j
select * from pg_namespace n join pg_am a using (oid) as j (a,b)
select * from (pg_namespace n join pg_am a using (oid)) as j
select n.oid from (pg_namespace n join pg_am a using (oid)) as j
select foo from pg_class
select relnam from pg_class
select pg_class.relnam from pg_class c
select pg_class.relname from pg_class c
select x.relname from pg_class c
select c.relnamx from pg_class c
select oid from pg_class c, pg_am
select * from pg_class c, pg_class c
select * from nosuch
select * from nosuch.tab
select * from db.nosuch.tab
select count(*), relkind from pg_class group by relkind having count(*) > 1 order by 1 desc nulls last
select count(*), relkind k from pg_class group by k
select count(*), relkind k from pg_class group by 2
select count(*), relkind k from pg_class group by 3
select count(*), relname from pg_class
select relname from pg_class group by relkind
select relkind, relpersistence, count(*), grouping(relkind) from pg_class group by rollup(relkind, relpersistence)
select relkind, relpersistence, count(*) from pg_class group by grouping sets ((relkind),(relpersistence),())
select relkind from pg_class group by cube(relkind, (relname, oid)), relpersistence
select distinct relkind from pg_class order by relname
select distinct on (relkind) relkind, relname from pg_class order by relkind, relname
select distinct on (relkind) relkind, relname from pg_class order by relname
select 1 union select 2
select 1 union select 'a'
select 1 union select 2.5 order by 1
select 1 as a union select 2 order by a+1
select 1 as a union select 2 order by b
select 1,2 union select 3
select null union select null
select 'a' union all select null order by 1
select relname from pg_class union all select 'x'
(select 1 limit 1) union all (select 2 order by 1)
select 1 intersect select 2 except select 3
values (1,'a'),(2,null)
values (1,'a'),(2)
values (1,'a'),('b',1)
values (1), (default)
select * from (values (1,'x'),(2,'y')) v(a,b)
select * from (values (1,'x'),(2,'y')) v(a,b,c)
select * from (select 1) x(a,b)
select * from generate_series(1,3)
select * from generate_series(1,3) g
select * from generate_series(1,3) with ordinality
select * from generate_series(1,3) with ordinality as t(a,b)
select * from unnest(array[1,2],array['a','b']) with ordinality as t(a,b,c)
select * from rows from (generate_series(1,2), unnest(array['a'])) as x
select * from json_to_record('{}') as x(a int, b text)
select * from json_to_record('{}')
select * from generate_series(1,3) as x(a int)
select * from json_each('{}')
select * from pg_class c, lateral (select c.relname) x
select * from pg_class c, (select c.relname) x
select * from pg_class c right join lateral (select c.relname) x on true
select (select relname from pg_class limit 1)
select exists(select 1), array(select relname from pg_class), (select 1)::text
select 1 where 1
select 1 limit 'a'
select 1 limit relname from pg_class
select relname from pg_class limit oid
with x as (select 1 a) select * from x
with x(b) as (select 1 a) select * from x, x y
with x(b,c) as (select 1 a) select * from x
with recursive t(n) as (values (1) union all select n+1 from t where n < 100) select sum(n) from t
with recursive t(n) as (select 1 union all select n+1.5 from t) select * from t
with recursive t as (select 1 union all select a from t) select * from t
with recursive t(n) as (select n from t union all select 1) select * from t
with recursive t(n) as (select 1 union all select n+1 from (select * from t) x left join t y using (n)) select * from t
with recursive t(n) as (select 1 union all select count(*) from t) select * from t
with recursive t(n) as (select 1 union all select n from t order by 1) select * from t
with recursive a as (select * from b), b as (select * from a) select * from a
with a as (select * from b), b as (select 1) select * from a
with a as (select 1), a as (select 2) select 1
with recursive t(a,b) as (select 1,2 union all select a+1,b from t) search depth first by a set s select * from t
with recursive t(a,b) as (select 1,2 union all select a+1,b from t) search breadth first by a set s cycle a set c using p select * from t
with recursive t(a,b) as (select 1,2 union all select a+1,b from t) cycle a set c to 'Y' default 'N' using p select * from t
with recursive t(a,b) as (select 1,2 union all select a+1,b from t) search depth first by z set s select * from t
select row_number() over (partition by relkind order by relname), sum(oid::int) over w from pg_class window w as (order by oid rows between 1 preceding and current row)
select sum(1) over w from pg_class
select sum(1) over (w rows 1 preceding) from pg_class window w as (order by oid rows 1 preceding)
select sum(1) over (w) from pg_class window w as (order by oid rows 1 preceding)
select sum(1) over (w partition by oid) from pg_class window w as (order by oid)
select sum(1) over (order by oid range between 1 preceding and current row) from pg_class
select sum(1) over (order by reltuples range between 1 preceding and current row) from pg_class
select sum(1) over (order by relpages range between 1 preceding and current row) from pg_class
select sum(1) over (order by relname range between 1 preceding and current row) from pg_class
select sum(1) over (range between 1 preceding and current row) from pg_class
select sum(1) over (groups between 1 preceding and current row) from pg_class
select sum(1) over (order by relpages rows between relpages preceding and current row) from pg_class
select * from pg_class for update
select * from pg_class for update of pg_class
select * from pg_class for update of x
select 1 from pg_class group by 1 for update
select 1 union select 2 for update
select distinct 1 from pg_class for share
select count(*) from pg_class for share
select * from generate_series(1,2) g for update of g
insert into pg_enum values (1,2,3,'a')
insert into pg_enum (oid, enumlabel) values (1)
insert into pg_enum (oid, enumlabel) values (1,2,3)
insert into pg_enum (oid, oid) values (1,2)
insert into pg_enum (oid, foo) values (1,2)
insert into pg_enum (oid, enumsortorder) values (1,'x')
insert into pg_enum (oid, enumsortorder) values (1,now())
insert into pg_enum (oid, enumsortorder) values (1,default),(2,3) returning *
insert into pg_enum select * from pg_enum returning oid, enumlabel || 'x' as y
insert into pg_enum (oid) select 1,2
insert into pg_enum default values returning oid
insert into pg_enum (oid) values ((1,2))
insert into pg_enum (oid, enumlabel) values ((1,2))
insert into pg_enum (oid) values (1) on conflict do nothing
insert into pg_enum (ctid) values (1)
update pg_enum set oid = 1 where oid = $1 returning *
update pg_enum set foo = 1
update pg_enum set ctid = '(0,1)'
update pg_enum set (oid, enumlabel) = (1, 'a')
update pg_enum set (oid, enumlabel) = (select 1, 'a')
update pg_enum set (oid, enumlabel) = (1)
update pg_enum set oid = 'a'
update pg_enum set oid = now()
update pg_enum e set oid = c.oid from pg_class c where c.relname = e.enumlabel
update pg_enum e set pg_enum.oid = 1
update pg_enum e set oid = 1 from (select e.oid) x
update pg_enum set oid[1] = 1
delete from pg_enum using pg_class c where c.oid = enumtypid returning c.relname, pg_enum.*
delete from pg_enum where foo = 1
delete from pg_enum e where pg_enum.oid = 1
select ctid, xmin, tableoid, oid from pg_class
select pg_class from pg_class
select (pg_class).relname, (c).* from pg_class c, pg_class
select c.relname.x from pg_class c
select order_x from pg_class order by 5
select relname from pg_class order by 'a'
select relname from pg_class order by relname using <
select relname from pg_class order by relname using =
select relname as a, relkind as a from pg_class order by a
select relacl from pg_class order by relacl, 1
select * from pg_class tablesample system (10) repeatable (1)
select * from pg_class tablesample foo (10)
select * from pg_roles tablesample system (10)
select relname into foo from pg_class
select * from (select 1 into x) y
create table x as select 1
declare c cursor for select 1
explain select foo
select *
select 1 from (select 2) x where x.y = 1
select $1::int + $2
select $1
select relname from pg_class where oid = $1 and relname like $2 limit $3
with x as (insert into pg_enum (oid) values (1) returning oid) select * from x
with x as (delete from pg_enum) select * from x
select * from (with x as (delete from pg_enum returning 1) select * from x) y
merge into pg_enum e using pg_class c on e.oid = c.oid when matched and c.relname = 'x' then delete when not matched then insert (oid, enumlabel) values (c.oid, c.relname)
merge into pg_enum e using pg_class c on e.oid = c.oid when matched then update set foo = 1
merge into pg_enum e using pg_class e on true when matched then delete
merge into pg_enum e using pg_class c on e.oid = c.oid when matched then delete when matched then do nothing
merge into pg_enum e using pg_class c on e.oid = c.oid when not matched then insert (oid) values (e.oid)
merge into pg_roles e using pg_class c on true when matched then delete
select "?column?" from (select 1) x
select max(relname) filter (where relkind = 'r') from pg_class where count(*) > 1
select case when 1=1 then 'a' else 'b' end, coalesce(1,2), greatest(1,2), nullif(1,2), row(1,2), array[1], current_date, current_user, 1::int4, cast('1' as numeric(4,2))
select sum(sum(1)) over () from pg_class group by relkind
select relname from pg_class order by count(*)
select t.x from (select 1 as x union all select 2) t order by x fetch first 1 row with ties
select pg_class.relname from pg_catalog.pg_class
select pg_catalog.pg_class.relname from pg_catalog.pg_class
select information_schema.pg_class.relname from pg_catalog.pg_class
select * from pg_tables limit 1
select table_name from information_schema.tables
