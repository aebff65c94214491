-- FOR UPDATE NOWAIT and SKIP LOCKED against another's row locks
create table t (a int primary key);
insert into t values (1), (2), (3);
begin;
select * from t where a = 1 for update;
-- conn: b
select * from t order by a for update nowait;
select * from t order by a for update skip locked;
select * from t where a = 1 for key share nowait;
select * from t order by a;
set lock_timeout = '50ms';
update t set a = 10 where a = 1;
delete from t where a = 2;
-- conn: main
rollback;
-- conn: b
update t set a = 10 where a = 1;
select * from t order by a;
