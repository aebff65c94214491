-- In a failed block everything but its end is refused with 25P02
create table t (a int);
begin;
insert into t values (1);
insert into nope values (1);
insert into t values (2);
show timezone;
set timezone = 'UTC';
savepoint s;
prepare p as select 1;
rollback;
select count(*) from t;
begin;
select 1 / 0;
commit;
