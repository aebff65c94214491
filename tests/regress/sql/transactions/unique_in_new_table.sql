-- a multi-row INSERT that fails in the transaction that made the table
begin;
create table t(id int primary key, u int unique);
savepoint a;
insert into t values (2,3), (4,3);
rollback to a;
insert into t values (3,2);
insert into t values (5,5), (3,1);
rollback;
begin;
create table t(id int primary key);
insert into t values (1), (1) returning id;
rollback;
