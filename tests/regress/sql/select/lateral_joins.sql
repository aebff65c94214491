-- LATERAL inside joins in parentheses, and over several levels
create table i4(f1 int); insert into i4 values (0),(1),(-2),(3); create table i8(q1 int8, q2 int8); insert into i8 values (0,1),(1,3),(3,3),(3,-3);
select * from i4 a left join (i4 b join lateral (select a.f1 as z) c on true) on a.f1 = c.z order by 1,2,3;
select * from i4 a left join (i4 b join lateral (select a.f1 + b.f1 as z) c on c.z > 2) on b.f1 > 0 order by 1,2,3;
select a.f1, count(b.f1), max(c.z) from i4 a left join (i4 b left join lateral (select a.f1 + b.f1 as z) c on c.z > 2) on b.f1 > a.f1 group by a.f1 order by 1;
select * from i8 x left join (select q1, coalesce(q2, 0) q2 from i8) y on x.q2 = y.q1 left join (i4 b cross join lateral (select b.f1 * y.q2 as m) l) on l.m = x.q1 order by 1,2,3,4,5,6;
select a.*, b, l from i4 a left join (i4 b cross join lateral (select b.f1, a.f1) l(p,q)) on true where a.f1 = 1 order by b;
select f1 from i4 a where exists (select 1 from i8 x left join (i8 y cross join lateral (select y.q1 + x.q2 + a.f1 as s) z) on z.s = 4 where z.s is not null) order by 1;
select * from i4 a left join (i8 b join lateral (select a.f1) c(f1) using (f1)) using (f1);
select * from i4 a left join (i4 b join lateral (select a.f1) c(f1) using (f1)) using (f1) order by 1;
select * from i4 a right join (i4 b join lateral (select a.f1) c on true) on true;
select a.f1, g from i4 a left join (i4 b join lateral generate_series(1, a.f1) g on true) on b.f1 = g order by 1,2;
with w as (select f1 from i4 where f1 > 0) select * from w a left join (w b join lateral (select a.f1 from w) c on true) on a.f1 = b.f1 order by 1,2,3;
select v.*, s.* from (values (1),(3)) v(id) left join ((select q1, q2 from i8) s1 left join lateral (select s1.q2 as y, v.id as z offset 0) s2 on s1.q1 = v.id) s on s.q1 = v.id order by 1,2,3;
select * from (values (0),(1)) v(id), lateral (select * from i8 t1, lateral (select * from (select * from i8 t2 where t1.q1 = t2.q2 and v.id > 0) ss) ss2) ss3 order by 1,2,3,4,5;
select * from i4 a join (i4 b join lateral (select a.f1 as z) c on true) on true order by 1,2 limit 2;
select row_to_json(x.*) from i4 join i4 b using (f1) as x where x.f1=1;
