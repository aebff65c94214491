-- TRUNCATE: several tables, RESTART IDENTITY, CASCADE
create table p (id serial primary key);
create table c (pid int references p);
insert into p default values;
insert into c values (1);
truncate p;
truncate p, c;
select count(*) from p;
insert into p default values returning id;
truncate p restart identity cascade;
insert into p default values returning id;
truncate nope;
create view v as select 1;
truncate v;
begin;
truncate c, p;
rollback;
select count(*) from p;
