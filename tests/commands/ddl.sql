-- What DDL answers: tags, notices, errors.  One statement a line.
create table pp(x int primary key)
create table t (a int generated always as identity primary key, b text default 'x' unique, c int references pp on delete cascade deferrable initially deferred, d varchar(10) check (d<>''), e serial)
insert into pp values (1)
insert into t(b,c,d) values ('q',1,'z')
create index on t(d)
create unique index foo on t (lower(b), c desc) where c>0
create index foo on t(a)
create index if not exists foo on t(a)
create table t(a int)
create table if not exists t(a int)
drop table pp
drop table if exists nope, pp cascade
alter table t add column z int default 5 not null, alter column d type text, drop column e
alter table t add constraint ck check (z > 100)
alter table t rename column z to zz
create schema s create table u(a int)
truncate t
create sequence sq start 5
alter sequence sq restart with 10
comment on table t is 'hello'
create type mood as enum('a','b')
alter type mood add value 'c' after 'a'
drop schema s cascade
set search_path to a, "B"
reset search_path
refresh materialized view mv
create temp table tt(a int) on commit drop
create table p(a int, b text) partition by range(a)
create table p1 partition of p for values from (1) to (10)
create table p2 partition of p for values from (5) to (20)
create table ch(c int) inherits (t)
alter table ch no inherit t
create table lk(like t including all)
drop schema public cascade
create schema public
create table t(id serial primary key, a int, b text)
insert into t(a,b) values (1,'x'),(2,'y')
alter table t add column c int default 7 not null, add check (a>0)
alter table t alter column a type bigint using a*10
alter table t alter column b type int
alter table t alter column b set default 'zz', alter column b set not null
alter table t add column id2 int generated always as identity
alter table t add column s serial
alter table t add column u uuid default gen_random_uuid()
alter table t add column g int generated always as (a::int*2) stored
alter table t drop column c
alter table t drop column nope
alter table t drop column if exists nope
alter table t add constraint bad check (a>15)
alter table t rename to tt
alter table tt rename column a to aa
alter table tt rename constraint t_pkey to newpk
create domain posint as int check (value>0) default 5 not null
create table dt(p posint)
insert into dt values (3)
insert into dt values (-3)
alter domain posint add constraint mx check (value<100)
create type addr as (street text, zip int)
create table at_(x addr)
create type fr as range(subtype=float8)
create function trg() returns trigger language plpgsql as 'begin return new; end'
create trigger tr before insert on tt for each row when (new.aa > 1) execute function trg()
drop function trg()
drop function f(int,int)
drop function if exists nof(int)
drop function nof(int)
create policy pol on tt using (aa>1)
alter table tt enable row level security
create operator === (leftarg=int, rightarg=int, function=int4eq)
create table p(a int primary key, b text) partition by list(a)
create table p1 partition of p for values in (1,2)
create table pd partition of p default
create index on p(b)
drop table p
create table fk(x int references tt(id), y int references tt)
create table fk2(x text references tt(id))
create table fk3(x int references tt(aa))
truncate tt
truncate tt cascade
truncate tt, fk restart identity
drop table tt
drop table tt cascade
create schema s1
alter table fk set schema s1
alter table s1.fk owner to r1
reassign owned by r1 to postgres
drop owned by r1
comment on type addr is 'x'
comment on schema s1 is 'q'
create table dp(a int)
create table ctas2(q) as values (1),(2) with no data
create temp table tmp(a int)
create temp sequence ts
discard temp
set session authorization nosuch
set role nosuch
set datestyle to 'German'
reset all
create unique index uu on ctas(a)
insert into ctas values (2)
insert into ctas values (2)
create unique index on ctas(b)
insert into ctas values (3,'x')
create unique index on ctas(b)
reindex table ctas
cluster ctas using uu
create statistics st on a,b from ctas
create table ex(a int, exclude using gist (a with =))
create table ex2(a int, exclude (a with =))
alter sequence s1.nos restart
create sequence q maxvalue 3
drop type addr
drop type addr cascade
drop domain posint cascade
drop sequence q
drop view if exists zz
drop table v
alter table ctas add primary key (a)
alter table ctas add primary key (b)
alter table ctas add unique (b)
create table child (z int) inherits (ctas)
drop table ctas
alter table ctas add column nn int
