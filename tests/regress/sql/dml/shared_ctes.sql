-- A CTE that several parts of a statement with data-modifying CTEs read is computed once
create sequence s1;
create table ct (id bigint, v text);
create table cl (id bigint);
with input as materialized (select nextval('s1') id, v from unnest(array['a','b']) v),
 ins as (insert into ct select id, v from input returning id, v)
 select i.id = ins.id as same, i.v from ins join input i using (v) order by 2;
with input as (select nextval('s1') id, v from unnest(array['a','b']) v),
 ins as (insert into ct select id, v from input returning id, v),
 log as (insert into cl select id from ins where id in (select id from input) returning id)
 select (select count(*) from log) n, i.id = ins.id as same, i.v from ins join input i on i.id = ins.id order by 3;
with r as (select random() x), ins as (insert into ct select 100, x::text from r returning v)
 select v = x::text from ins, r;
delete from ct where id = 100;
with old as (select count(*) n from ct), ins as (insert into ct values (9,'z') returning 1), del as (delete from cl returning id)
 select n, (select count(*) from ins), (select count(*) from del), (select count(*) from ct), (select n from old) from old;
with picked as (select id from ct order by id limit 2 for update skip locked),
 upd as (update ct set v = v || '!' where id in (select id from picked) returning id, v)
 select upd.*, p.id from upd join picked p using (id) order by 1, 2;
with picked as (select id from ct where v like 'a%' order by id limit 1),
 upd as (update ct set v = 'q' where id in (select id from picked) returning id, v)
 insert into cl select id * 10 from picked returning id, (select count(*) from upd);
-- recursive ones
with recursive t(n) as (select nextval('s1') union all select n + 1 from t where n < 12),
 i as (insert into cl select n from t returning id)
 select count(*), min(t.n) = min(i.id) from t, i;
with recursive base as (select 3 as top), t(n) as (select 1 union all select n + 1 from t, base where n < top),
 i as (insert into cl select n from t returning id)
 select array_agg(id order by id) from i;
with recursive base as (select 3 as top), t(n) as (select 1 union select n + 1 from (select n from t) x, base where n < top),
 i as (insert into cl select n from t returning id), d as (delete from ct where id in (select n from t) returning id)
 select (select array_agg(id order by id) from i), (select array_agg(n order by n) from t), (select array_agg(id order by id) from d);
-- one that reads another one, and the rows that a part returned
with a as (select nextval('s1') x), b as (select x, x + 1 y from a), i as (insert into cl select y from b returning id)
 select id = y, x + 1 = id from i, b;
with i as (insert into cl values (50), (51) returning id), b as (select id, id + 1 n from i),
 j as (insert into cl select n from b returning id) select b.id, n, j.id from b join j on j.id = n order by 1;
-- with parameters, in functions
prepare p(text, int) as with x as materialized (select nextval('s1') id, $1 v, g from generate_series(1, $2) g),
 i as (insert into ct select id, v from x returning id, v) select count(*), bool_and(x.id = i.id and i.v = $1) from x join i using (id);
execute p('p', 3);
execute p('q', 2);
create function f(n int) returns bigint language sql as $$
 with x as (select nextval('s1') id from generate_series(1, n)), i as (insert into ct select id from x returning id)
 select count(*) from x join i using (id) $$;
select f(2), f(3);
with x as (select nextval('s1') id), u as (update ct set v = x.id::text from x where ct.id = 1 returning v) select v = id::text from u, x;
select count(*) from ct;
select count(*), sum(id) from cl;
select last_value from s1;
