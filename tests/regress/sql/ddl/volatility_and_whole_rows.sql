-- SQL functions inlined before volatility is asked, casts through text, whole rows in USING, objects that are not there
create table ua (a int, b text, c numeric);
insert into ua values (1,'x', 2.5),(2,null,3);
alter table ua alter b type text using ua::text;
select * from ua;
alter table ua alter c type text using (ua).b || c;
select * from ua;
alter table ua alter a type text using row_to_json(ua.*)::text;
select * from ua;
alter table ua drop column c;
alter table ua alter b type varchar(40) using (ua)::text;
select * from ua;
create index ua_x on ua ((a::text));
drop table ua;
CREATE TABLE part_column_drop (
  useless_1 int,
  id int,
  useless_2 int,
  d int,
  b int,
  useless_3 int
) PARTITION BY RANGE (id);
ALTER TABLE part_column_drop DROP COLUMN useless_1;
ALTER TABLE part_column_drop DROP COLUMN useless_2;
ALTER TABLE part_column_drop DROP COLUMN useless_3;
CREATE INDEX part_column_drop_b_pred ON part_column_drop(b) WHERE b = 1;
CREATE INDEX part_column_drop_b_expr ON part_column_drop((b = 1));
CREATE INDEX part_column_drop_d_pred ON part_column_drop(d) WHERE d = 2;
CREATE INDEX part_column_drop_d_expr ON part_column_drop((d = 2));
CREATE TABLE part_column_drop_1_10 PARTITION OF
  part_column_drop FOR VALUES FROM (1) TO (10);
DROP TABLE part_column_drop;
create table permtest_parent (a int, b text, c text) partition by list (a);
create table permtest_child (b text, c text, a int) partition by list (b);
create table permtest_grandchild (c text, b text, a int);
alter table permtest_child attach partition permtest_grandchild for values in ('a');
alter table permtest_parent attach partition permtest_child for values in (1);
create index on permtest_parent (left(c, 3));
insert into permtest_parent
  select 1, 'a', left(md5(i::text), 5) from generate_series(0, 100) i;
analyze permtest_parent;
drop table permtest_parent;
create foreign data wrapper fw; create server sv foreign data wrapper fw;
create user mapping for postgres server sv;
alter default privileges grant select on tables to public;
create publication pbx;
create table pt (a int);
alter publication pbx add table pt;
select (pg_identify_object(classid, objid, objsubid)).* from (
 select 'pg_user_mapping'::regclass classid, oid objid, 0 objsubid from pg_user_mapping
 union all select 'pg_default_acl'::regclass, oid, 0 from pg_default_acl
 union all select 'pg_publication'::regclass, oid, 0 from pg_publication
 union all select 'pg_publication_rel'::regclass, oid, 0 from pg_publication_rel
 union all select 'pg_foreign_server'::regclass, oid, 0 from pg_foreign_server
 union all select 'pg_class'::regclass, 99999999, 0
 ) s order by 1;
select (pg_identify_object_as_address(classid, objid, objsubid)).* from (
 select 'pg_user_mapping'::regclass classid, oid objid, 0 objsubid from pg_user_mapping
 union all select 'pg_default_acl'::regclass, oid, 0 from pg_default_acl
 union all select 'pg_publication'::regclass, oid, 0 from pg_publication
 union all select 'pg_publication_rel'::regclass, oid, 0 from pg_publication_rel
 union all select 'pg_class'::regclass, 99999999, 0
 ) s order by 1;
alter default privileges revoke select on tables from public;
drop publication pbx; drop table pt; drop foreign data wrapper fw cascade;
create table ix (c1 int, c2 float8, c3 timestamp, c4 bool);
create index on ix ((c1::text));
create index on ix ((c2::text));
create index on ix ((c3::text));
create index on ix ((c4::text));
create unique index on ix ((c1::text || 'x'), (c4::text::bool));
insert into ix values (1, 2, null, true);
insert into ix values (1, 2, null, true);
select * from ix where c1::text = '1';
drop table ix;
create function addone(int) returns int language sql as 'select $1 + 1';
create table fi (a int);
create index on fi (addone(a));
create function addtwo(int) returns int language sql immutable as 'select $1 + 2';
create index on fi (addtwo(a));
create index on fi ((addone(a) + 1));
create function addrnd(int) returns float language sql as 'select $1 + random()';
create index on fi (addrnd(a));
create index on fi ((a + random()));
create index on fi (a) where addone(a) > 1;
create index fi_u on fi ((addone(a)));create unique index on fi ((addone(a) * 2));insert into fi values (1); insert into fi values (1); select * from fi where addone(a) = 2;
create table gg (a int, b int generated always as (addone(a)) stored);
create table gg2 (a int, b int generated always as (addrnd(a)) stored);
create table pp (a int) partition by range (addone(a));
drop table if exists gg, fi, gg2, pp;
drop function addone, addtwo, addrnd;
