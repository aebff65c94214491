-- What CREATE TABLE leaves for later is there when ON COMMIT acts, also for a role whose tables have entries in pg_shdepend
create role rgm;
grant create on schema public to rgm;
set role rgm;
create temp table o1();
create temp table o2() on commit delete rows;
create temp table o3(a int) on commit delete rows;
begin;
create temp table o4(a int) on commit delete rows;
commit;
insert into o3 values (1);
select * from o3;
create temp table o5(a int) on commit drop;
select * from o5;
reset role;
drop owned by rgm cascade;
drop role rgm;
