-- WITH, references, shadowing, materialisation and errors
with x as (select 1 as a), y(b) as (select a + 1 from x) select * from x, y;
with x as materialized (select g from generate_series(1, 3) g) select sum(x.g), (select max(g) from x) from x;
with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r;
with recursive r(n, f) as (values (1, 1::numeric) union all select n + 1, f * (n + 1) from r where n < 6) select * from r;
with recursive t(id, parent) as (values (1, null), (2, 1), (3, 1), (4, 2)), d as (select id, 0 as depth from t where parent is null union all select t.id, d.depth + 1 from t join d on t.parent = d.id) select * from d order by depth, id;
with recursive u(n) as (values (1) union select (n % 3) + 1 from u) select * from u order by n;
with x as (select 1), x as (select 2) select * from x;
with r as (select * from r) select * from r;
with recursive r as (select 1 as n union all select n from r, r as s) select * from r;
with recursive r as (select n + 1 from r) select 1 from r;
with x(a, b) as (select 1) select * from x;
select * from x;
with recursive g(a, b) as (values (1,2),(2,3),(3,1)), p as (select a, b from g where a = 1 union all select g.a, g.b from g, p where g.a = p.b) cycle a set is_cycle using path select * from p;
with recursive p(n) as (values (1) union all select n + 1 from p where n < 3) search depth first by n set ord select * from p order by ord;
with x as (select 1) select 1 where exists (with y as (select * from x) select * from y);
