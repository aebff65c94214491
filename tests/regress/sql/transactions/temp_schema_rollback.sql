-- A rollback takes the schema of temporary tables away; a view without columns
begin;
create temp table x as select 1 a;
rollback;
create temp table y as select 1 a;
begin;
savepoint a;
create temp table z as select 1 a;
rollback to a;
create temp table z as select 2 a;
commit;
select * from z;
create view v0 as select;
select * from v0;

