-- Privileges: kinds that have none, default privileges, reserved roles, who checks what first
create role regress_pk; create role regress_pk2;
create type pk_comp as (x int); create table pk_t (a int);
grant usage on type _pk_comp to regress_pk;
alter default privileges grant usage on tables to regress_pk;
alter default privileges grant select (a) on tables to regress_pk;
alter default privileges grant update on sequences to regress_pk;
select defaclobjtype, defaclacl from pg_default_acl order by 1;
alter default privileges revoke update on sequences from regress_pk;
alter role pg_monitor login;
alter group pg_monitor add user regress_pk;
alter role pg_nosuch login;
-- a role of the session ends with its authorization
set session authorization regress_pk; reset session authorization; set role regress_pk2; show role;
reset session authorization;
show role;
select current_user = session_user;
-- REFERENCES is enough to make a foreign key, and SELECT is not asked for
create table pk_parent (a int primary key); create table pk_child (a int); alter table pk_child owner to regress_pk;
set role regress_pk;
alter table pk_child add foreign key (a) references pk_parent;
reset role;
grant references on pk_parent to regress_pk; insert into pk_child values (1);
set role regress_pk;
alter table pk_child add foreign key (a) references pk_parent;
reset role; delete from pk_child; set role regress_pk;
alter table pk_child add foreign key (a) references pk_parent;
insert into pk_child values (1);
reindex database postgres;
alter database postgres rename to x;
reset role;
-- views of the catalogs are no system catalogs
begin; drop view pg_tables; alter view pg_views rename to pg_more_views; rollback;
drop table pg_class; truncate pg_class; alter sequence pg_class restart;
create sequence pg_catalog.pk_s; create table pg_catalog.pk_t as select 1; create type pg_catalog.pk_y as (a int);
drop table pk_child, pk_parent; drop owned by regress_pk, regress_pk2; drop role regress_pk, regress_pk2;
