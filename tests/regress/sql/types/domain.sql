-- Domains: constraints, defaults, NOT NULL and error fields
-- xfail: errors of domains lack the schema; new constraints are not seen by the session
create domain posint as int check (value > 0);
create domain addr as varchar(5) not null default 'x' constraint has_at check (value like '%@%');
select 5::posint;
select -1::posint;
select (-1)::posint;
select null::addr;
select 'abc'::addr;
select 'a@cdefgh'::addr;
create table d (a posint, b addr default 'q@');
insert into d values (1) returning *;
insert into d values (0);
insert into d values (1, null);
select pg_typeof(a), pg_typeof(a + 1) from d;
alter domain posint add constraint small check (value < 10);
insert into d values (11);
alter domain posint drop constraint small;
insert into d values (11) returning a;
alter domain posint add constraint small check (value < 10);
drop domain posint;
