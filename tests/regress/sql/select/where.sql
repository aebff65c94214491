-- WHERE with comparison, BETWEEN, IN, IS, LIKE and NULLs
create table t (a int, b text);
insert into t values (1, 'one'), (2, 'two'), (3, null), (null, 'none');
select * from t where a > 1 order by a;
select * from t where a between 1 and 2 order by a;
select * from t where a not between symmetric 2 and 1 order by a;
select * from t where a in (1, 3, null) order by a;
select * from t where a not in (1, null);
select * from t where b is null or a is null order by a nulls first;
select * from t where a is distinct from 1 order by a;
select * from t where b like '%o%' and not b = 'two' order by b;
select * from t where (a, b) in ((1, 'one'), (2, 'x'));
select * from t where a = null;
select * from t where a;
select * from t where c = 1;
select * from t where t.a = 'x';
