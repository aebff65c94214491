-- Pseudo-types
select pg_sleep(0), pg_typeof(pg_sleep(0));
create table v (a void);
create table v (a anyelement);
create table v (a record);
select null::record, 'x'::cstring;
select 'x'::anyelement;
