-- Keys on system columns, EXCLUDE's operators and clauses, columns that go together, DEPENDS ON EXTENSION
create table kd (a int, b int, r int4range);
alter table kd add primary key (ctid);
alter table kd add primary key (nosuch);
alter table kd add unique (ctid);
alter table kd add unique (a) include (ctid);
alter table kd add unique (a) include (nosuch);
create table kd2 (a int, unique (ctid));
create table kd2 (a int, primary key (ctid));
create table kd2 (a int, unique (a) include (nosuch));
create table kd2 (a int, exclude (ctid with =));
create table kd2 (a int, exclude using hash (a with =) include (a));
create table kd2 (a int, b int, exclude using hash (a with =, b with =));
alter table kd add exclude (a with <>);
alter table kd add exclude using gist (r with +);
alter table kd add constraint kd_x exclude using btree (a with =) include (b) with (fillfactor = 80);
select pg_get_constraintdef(oid) from pg_constraint where conname = 'kd_x';
alter table kd drop column b;
select conname from pg_constraint where conrelid = 'kd'::regclass;
-- a column of a parent goes with those of the children
create table kd_p (a int, b int); create table kd_c () inherits (kd_p); create view kd_v as select a from kd_p; create view kd_w as select a from kd_c;
alter table kd_p drop column a;
alter table kd_p drop column a cascade;
-- DEPENDS ON EXTENSION of a trigger is not the table's
create extension citext; create trigger kd_tr before update on kd for each row execute function suppress_redundant_updates_trigger();
alter trigger kd_tr on kd depends on extension citext;
alter trigger kd_nosuch on kd depends on extension citext;
drop extension citext;
select count(*) from pg_trigger where tgname = 'kd_tr';
select count(*) from kd;
-- TRUNCATE CASCADE tells tables by OID
create table kd_k (a int primary key); create table kd_f1 (a int references kd_k); create table kd_f2 (a int references kd_k); create table kd_f3 (a int references kd_k);
alter table kd_f1 alter constraint kd_f1_a_fkey deferrable;
truncate kd_k cascade;
create table kd_e (a int, b int, foreign key (a, b) references kd on update set null (b));
alter index kd_x set (fillfactor = 70);
create table kd_part (a int) partition by range (a); create index kd_pi on kd_part (a);
alter index kd_pi set (fillfactor = 70);
-- the datum that decides is pointed at
create table kd_r (a int, b text) partition by range (a, b);
create table kd_r1 partition of kd_r for values from (1, 'a') to (10, 'z'); create table kd_r2 partition of kd_r for values from (10, 'z') to (20, maxvalue);
create table kd_r3 partition of kd_r for values from (20, 'x') to (30, 'y');
create table kd_r3 partition of kd_r for values from (0, 'x') to (1, 'b');
create table kd_r3 partition of kd_r for values from (5, minvalue) to (6, maxvalue);
create table kd_r3 partition of kd_r for values from (20, maxvalue) to (30, 'y');
-- generation expressions are planned before they are judged
create table kd_g (a int, b text generated always as ('x' || a) stored, c text generated always as (a || 'y') stored);
insert into kd_g values (1); select * from kd_g;
create table kd_g2 (a int, b int generated always as (kd_g2.*) stored);
create table kd_g2 (a timestamptz, b text generated always as ('x' || a) stored);
create type kd_ty as (a int); select * from kd_ty; insert into kd_r_pkey values (1); insert into kd_ty values (1);
create sequence kd_s sequence name foo; create sequence kd_s start 5.5; create sequence kd_s logged;
do 'x' language plnosuch;
create view kd_view as select 1 a; refresh materialized view kd_view;
create collation kd_co (locale = 'nosuch');
create rule kd_ru as on delete to kd do instead nothing;
select deptype, pg_describe_object(refclassid, refobjid, refobjsubid) from pg_depend where classid = 'pg_rewrite'::regclass and objid = (select oid from pg_rewrite where rulename = 'kd_ru') order by 1;
create table kd_h (a int default 3, b int generated always as (a + 1) stored); create table kd_hc (a int generated always as (7) stored) inherits (kd_h);
insert into kd_hc default values; insert into kd_hc values (5); select * from kd_hc;
