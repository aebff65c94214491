-- Event triggers fire at the start and end of DDL, for what it drops and before it rewrites a table
create function report() returns event_trigger language plpgsql as $$
declare r record;
begin
  raise notice '% %', tg_event, tg_tag;
  if tg_event = 'ddl_command_end' then
    for r in select * from pg_event_trigger_ddl_commands() loop
      raise notice '  % % % % %', r.command_tag, r.object_type, r.schema_name, r.object_identity, r.in_extension;
    end loop;
  elsif tg_event = 'sql_drop' then
    for r in select * from pg_event_trigger_dropped_objects() loop
      raise notice '  % % % % % % %', r.original, r.normal, r.object_type, r.object_identity, r.object_name, r.address_names, r.address_args;
    end loop;
  elsif tg_event = 'table_rewrite' then
    raise notice '  % %', pg_event_trigger_table_rewrite_oid()::regclass, pg_event_trigger_table_rewrite_reason();
  end if;
end $$;
create event trigger e_start on ddl_command_start when tag in ('create table', 'DROP TABLE') execute function report();
create event trigger e_end on ddl_command_end execute function report();
create event trigger e_drop on sql_drop execute function report();
create event trigger e_rewrite on table_rewrite execute function report();
create event trigger e_end on ddl_command_end execute function report();
create event trigger bad on nothing execute function report();
create event trigger bad on sql_drop when tag in ('nothing') execute function report();
create event trigger bad on sql_drop when tag in ('create role') execute function report();
create event trigger bad on table_rewrite when tag in ('create table') execute function report();
create event trigger bad on sql_drop when colour in ('red') execute function report();
create event trigger bad on sql_drop execute function pg_backend_pid();
select report();
create table t (a serial primary key, b text default 'x', c int);
create index on t (a);
create view v as select a from t;
create or replace function f(i int) returns int language sql as 'select 1';
create type mood as enum ('sad');
alter type mood add value 'happy';
create domain d as int check (value > 0);
create type comp as (x int, y text);
create type rng as range (subtype = int);
create schema s create table one (a int) create view two as select a from one;
alter table t add d int, alter c type bigint;
alter table t alter b type varchar(10);
alter table t alter b type varchar(20);
alter table t set unlogged;
alter table t add e float default random();
comment on column t.a is 'key';
comment on database postgres is null;
grant select on t to public;
revoke select on t from public;
alter default privileges grant select on tables to public;
alter default privileges revoke select on tables from public;
alter table t rename column b to bb;
alter view v rename to w;
alter function f(int) owner to current_user;
create table u as select 1 as x;
select 1 as y into u2;
create materialized view m as select 1;
refresh materialized view m;
do $$ begin create temp table tt (a int); drop table tt; end $$;
create table if not exists t (a int);
drop table if exists nothing_there;
begin;
drop schema s cascade;
rollback;
alter table t drop column d;
drop function f(int);
drop table t cascade;
alter event trigger e_end disable;
create table q (a int);
set session_replication_role = replica;
alter event trigger e_drop enable always;
drop table q;
reset session_replication_role;
select pg_event_trigger_table_rewrite_oid();
select evtname, evtevent, evtenabled, evttags from pg_event_trigger order by 1;
alter event trigger e_end rename to e_start;
alter event trigger e_end rename to e_end2;
create role regress_evt_case;
alter event trigger e_end2 owner to regress_evt_case;
set role regress_evt_case;
drop event trigger e_end2;
alter event trigger e_end2 enable;
reset role;
drop role regress_evt_case;
drop function report();
drop event trigger e_start;
drop event trigger if exists e_start;
