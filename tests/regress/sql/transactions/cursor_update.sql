-- UPDATE and DELETE ... WHERE CURRENT OF
create table t (a int, b text);
insert into t values (1, 'x'), (2, 'y'), (3, 'z');
begin;
declare c cursor for select * from t order by a for update;
fetch 2 from c;
update t set b = 'cur' where current of c;
fetch c;
delete from t where current of c;
commit;
select * from t order by a;
update t set b = 'q' where current of c;
