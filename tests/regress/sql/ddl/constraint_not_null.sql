-- NOT NULL violations carry schema, table and column
create table t (a int not null, b text);
insert into t values (null, 'x');
insert into t (b) values ('y');
insert into t values (1, 'x');
update t set a = null;
alter table t add constraint pk primary key (b);
insert into t values (2, null);
