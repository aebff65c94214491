-- REPEATABLE READ: updating a row changed since the snapshot fails with 40001
create table t (a int primary key, b int);
insert into t values (1, 10), (2, 20);
begin isolation level repeatable read;
select * from t order by a;
-- conn: b
update t set b = 11 where a = 1;
delete from t where a = 2;
-- conn: main
select * from t order by a;
update t set b = 12 where a = 1;
rollback;
begin isolation level repeatable read;
select * from t order by a;
-- conn: b
update t set b = 13 where a = 1;
-- conn: main
delete from t where a = 1;
rollback;
select * from t;
