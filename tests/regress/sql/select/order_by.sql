-- ORDER BY by name, position, expression; NULLS FIRST and LAST
create table t (a int, b text);
insert into t values (1, 'b'), (2, null), (3, 'a'), (null, 'c');
select a, b from t order by b;
select a, b from t order by b desc;
select a, b from t order by b desc nulls last, a;
select a, b from t order by 2 nulls first;
select a, b as x from t order by x, a;
select a, b from t order by -a;
select a, b from t order by a using >;
select a from t order by 3;
select a as x from t order by x + 1;
select distinct a from t order by b;
select a from t order by 'x';
select 'B' < 'a' as c, 'é' > 'z' as d;
