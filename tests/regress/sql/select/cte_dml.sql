-- Data-modifying CTEs see one snapshot and all run
create table t (a int primary key, b text);
with i as (insert into t values (1, 'x'), (2, 'y') returning a) select sum(a) from i;
with u as (update t set b = 'new' where a = 1 returning *) select * from t order by a;
select * from t order by a;
with d as (delete from t where a = 2 returning *), i as (insert into t select a + 10, b from d returning *) select * from i;
select * from t order by a;
with i as (insert into t values (50, 'unused')) select 1 as one;
select count(*) from t;
with u as (update t set b = b || '!' returning a, b) insert into t select a + 100, b from u;
select * from t order by a;
select (with i as (insert into t values (9, 'z') returning a) select a from i);
