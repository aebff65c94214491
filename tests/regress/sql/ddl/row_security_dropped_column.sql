-- A whole row of a table with row security and a dropped column
create table t1 (id int primary key, a int, junk1 text, b text);
alter table t1 drop column junk1;
create table t2 (c float) inherits (t1);
insert into t1 values (101,1,'aba'),(102,2,'bbb');
insert into t2(id,a,b,c) values (201,1,'abc',1.1),(202,2,'q',1);
create role row_security_reader;
grant all on t1, t2 to row_security_reader;
create policy p1 on t1 using (a % 2 = 0);
alter table t1 enable row level security;
set role row_security_reader;
select *, t1 from t1 order by id;
select row_to_json(t1) from only t1;
select (x).b from (select t1 as x from t1) s order by 1;
select * from t1 where t1 = row(102,2,'bbb')::t1;
update t1 x set b = y.b || 'u' from t1 y where x.id = 102 and y.id = x.id returning *, x, y;
reset role;
drop owned by row_security_reader;
drop role row_security_reader;
