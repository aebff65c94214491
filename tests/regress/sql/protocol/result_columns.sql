-- RowDescription names table columns through views, joins and set operations
-- xfail: CASE loses the type modifier
create table t (a int, b varchar(5));
create view v as select a, b from t;
insert into t values (1, 'x');
select a, b, a + 0 as c, t.* from t;
select * from v;
select s.a from (select a from t) s;
select x.b from t x join t y using (a);
select a from t union select a from t;
with q as (select a, b from t) select * from q;
select b::varchar(3), b::text, upper(b), max(b), coalesce(b, 'x'), case when true then b end from t group by b;
insert into t values (2, 'y') returning a, b;
select (t).a, t from t order by 1;
