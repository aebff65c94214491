-- Advisory locks and LOCK TABLE
-- xfail: waiting for a table lock happens in execution, not in analysis
select pg_try_advisory_lock(1), pg_try_advisory_lock(1, 2);
-- conn: b
select pg_try_advisory_lock(1), pg_try_advisory_lock_shared(1), pg_try_advisory_xact_lock(3);
-- conn: main
select pg_advisory_unlock(1), pg_advisory_unlock(9);
-- conn: b
select pg_try_advisory_lock(1);
-- conn: main
lock table pg_class;
create table t (a int);
begin;
lock table t in access exclusive mode;
select mode, granted from pg_locks where relation = 't'::regclass;
-- conn: b
lock table t nowait;
begin;
lock table t in share mode nowait;
rollback;
set lock_timeout = '50ms';
select * from t;
-- conn: main
commit;
-- conn: b
select * from t;
