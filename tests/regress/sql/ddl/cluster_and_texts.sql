-- CLUSTER orders rows, rows in details, texts of views after renames
create role r1; create table idt (a int generated always as identity, b text); grant insert, select on idt to r1;
set role r1; insert into idt (b) values ('x'); select * from idt; reset role; drop table idt; drop role r1;
create table c (a int primary key, b text); insert into c select g, 'r'||g from generate_series(1,5) g; create index ci on c (b desc); update c set b = 'z' where a = 2;
cluster c using ci; select * from c; select indexrelid::regclass, indisclustered from pg_index where indrelid = 'c'::regclass order by 1;
insert into c values (2, 'dup'); insert into c values (0, 'new'); cluster c using c_pkey; select * from c; cluster c; cluster;
begin;
cluster c using ci; select * from c; rollback; select * from c;
create table cp (a int) partition by range (a); create table cp1 partition of cp for values from (0) to (10); create index cpi on cp (a); create index cpo on only cp (a);
insert into cp values (3),(1),(2); cluster cp using cpi; select * from cp; cluster cp; cluster cp using cpo; alter table cp cluster on cpi;
create table err (a int, b int check (b < 10), c text not null) partition by list (a); create table err1 (c text not null, b int, a int); alter table err1 add check (b < 10); alter table err attach partition err1 for values in (1);
insert into err values (1, 20, 'x'); insert into err values (1, 2, null); update err set b = 30; insert into err1 (a,b,c) values (1, 20, 'x'); insert into err values (1,1,'k'); update err set b = 30;
create table vt1 (a int, b int); create table vt2 (b int, c int);
create view vv as select * from vt1 join vt2 using (b); create view vf as select * from vt1 full join vt2 using (b); create view va as select j.* from (vt1 join vt2 using (b)) j; create view vx as select * from vt1 cross join vt2 v(x, y);
alter table vt2 rename b to bb; alter table vt2 add column a int; alter table vt1 add column zz int;
select pg_get_viewdef('vv'), pg_get_viewdef('vf', true), pg_get_viewdef('va', true), pg_get_viewdef('vx', true);
drop view vv, vf, va, vx; drop table vt1, vt2, err, cp, c;
