-- FOR UPDATE and its restrictions
create table t (a int primary key);
insert into t values (1), (2);
select * from t where a = 1 for update;
select * from t order by a for share of t nowait;
select * from t order by a for no key update skip locked;
select distinct a from t for update;
select count(*) from t for update;
select a from t group by a for update;
select 1 union select 2 for update;
select * from t for update of nope;
select * from generate_series(1, 2) for update;
