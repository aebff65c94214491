-- CHECK: names, failing rows, NOT VALID, table constraints
create table t (a int check (a > 0), b int constraint b_small check (b < 10), check (a < b or b is null));
insert into t values (1, 5), (null, null);
insert into t values (0, 5);
insert into t values (1, 10);
insert into t values (5, 2);
update t set a = 9 where a = 1;
alter table t add constraint c2 check (a <> 1);
alter table t add constraint c2 check (a <> 1) not valid;
insert into t values (1, 2);
alter table t validate constraint c2;
alter table t drop constraint t_a_check;
insert into t values (0, 1);
alter table t drop constraint nope;
alter table t add check (nope > 1);
alter table t add check (a);
select conname, contype, convalidated, pg_get_constraintdef(oid) from pg_constraint where conrelid = 't'::regclass order by 1;
create table x (a int check (a > (select 1)));
create table x (a int check (sum(a) > 1));
