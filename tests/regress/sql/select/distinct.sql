-- DISTINCT and DISTINCT ON
create table t (a int, b int, c text);
insert into t values (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z'), (2, 1, 'w'), (null, 1, 'n'), (null, 1, 'm');
select distinct a from t order by a;
select distinct a, b from t order by a, b;
select distinct on (a) a, b, c from t order by a, b desc, c;
select distinct on (b) a from t order by a;
select count(distinct a), count(distinct (a, b)) from t;
select distinct 1.0, 1.00::numeric from t;
select x from (select distinct x from (values (1.0), (1.00), (2)) v(x)) s order by 1;
