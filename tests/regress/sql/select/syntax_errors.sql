-- Syntax errors have 42601 and the position
selec 1;
select 1 from;
select from where;
select 1);
create table;
select 'abc;
';
select 1 2;
select "";
select $1;
insert into t value (1);
select 1 as select;
select 1 where 1 = 1 order;
