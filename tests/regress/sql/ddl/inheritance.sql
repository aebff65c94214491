-- Table inheritance
create table base (a int, b text default 'b');
create table child (c int) inherits (base);
insert into base values (1);
insert into child values (2, 'x', 3);
select * from base order by a;
select * from only base;
select tableoid::regclass, a from base order by a;
update base set b = 'all';
select * from child;
delete from only base;
select count(*) from base;
alter table base add d int default 4;
select * from child;
alter table child drop column a;
drop table base;
create table child2 (a text) inherits (base);
alter table child no inherit base;
select * from base;
