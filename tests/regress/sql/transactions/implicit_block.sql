-- Several statements in one Query are one transaction
create table t (a int);
insert into t values (1) \; select 1 / 0 \; insert into t values (2);
select count(*) from t;
insert into t values (1) \; commit \; select 1 / 0;
select count(*) from t;
begin \; insert into t values (2) \; rollback \; insert into t values (3);
select * from t order by a;
insert into t values (4) \; begin \; insert into t values (5);
select a from t order by a;
rollback;
select a from t order by a;
select 1 \; select 2 \; select 3;
savepoint a \; select 1;
