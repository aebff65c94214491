-- Others see old images of rows updated or deleted but not committed
create table t (a int primary key, b text);
insert into t values (1, 'one'), (2, 'two'), (3, 'three');
begin;
update t set b = b || '!' where a < 3;
delete from t where a = 3;
insert into t values (4, 'four');
select * from t order by a;
-- conn: b
select * from t order by a;
select count(*), max(b) from t;
select * from t where b like '%!';
select * from t where a = 3;
-- conn: main
savepoint s;
update t set b = 'again' where a = 1;
-- conn: b
select b from t where a = 1;
-- conn: main
rollback to s;
select b from t where a = 1;
rollback;
select * from t order by a;
-- conn: b
select * from t order by a;
