-- Uncommitted rows are invisible to others, committed ones visible at READ COMMITTED
create table t (a int);
begin;
insert into t values (1);
-- conn: b
select count(*) from t;
-- conn: main
commit;
-- conn: b
select count(*) from t;
begin isolation level repeatable read;
select count(*) from t;
-- conn: main
insert into t values (2);
delete from t where a = 1;
-- conn: b
select a from t;
commit;
select a from t;
