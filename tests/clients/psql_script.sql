\pset linestyle ascii
create schema app;
create table customer (id serial primary key, name varchar(40) not null, email text unique, credit numeric(8,2) default 0 check (credit >= 0), created timestamptz not null default now());
create table invoice (no int, customer_id int not null references customer on delete cascade, day date, total numeric(10,2), gross numeric generated always as (total * 1.19) stored, primary key (no, customer_id));
create index invoice_day on invoice (day desc) where total > 100;
create view rich as select id, name from customer where credit > 1000;
create materialized view totals as select customer_id, sum(total) from invoice group by 1;
create sequence app.numbers start 100;
create type mood as enum ('sad', 'happy');
create type pair as (a int, b text);
create domain posint as int check (value > 0);
create function add(a int, b int default 1) returns int language sql immutable as 'select a + b';
comment on table customer is 'who buys';
create table part (a int) partition by range (a);
create table part1 partition of part for values from (0) to (10);
insert into customer (name, credit) values ('Ann', 5), ('Bob "B"', 2000);
\echo == dn
\dn
\echo == dt
\dt
\echo == dt plus
\dt app.*
\echo == d
\d
\echo == d customer
\d customer
\echo == d invoice
\d invoice
\echo == d rich
\d rich
\echo == d plus rich
\d+ rich
\echo == d index
\d invoice_day
\echo == d sequence
\d app.numbers
\echo == d part
\d+ part
\echo == d part1
\d part1
\echo == d type
\d pair
\echo == d missing
\d missing
\echo == di
\di
\echo == dv
\dv
\echo == dm
\dm
\echo == ds
\ds
\echo == df
\df
\echo == df builtin
\df upper
\echo == dT
\dT
\echo == dD
\dD
\echo == du
\du postgres
\echo == dp
grant select on customer to public;
\dp customer
\echo == dL
\dL
\echo == dx
\dx
\echo == db
\db
\echo == sf
\sf add
\echo == sv
\sv rich
\echo == x
\x on
select id, name from customer order by id;
\x off
\echo == gset
select count(*) as n from customer \gset
\echo :n
\echo == gdesc
select id, name, credit from customer \gdesc
\echo == gexec
select 'select ' || g from generate_series(1, 2) g \gexec
\echo == crosstab
select name, id, credit from customer order by 1 \crosstabview
\echo == error
select * from nowhere;
\errverbose
\echo == formats
\pset format unaligned
select id, name from customer order by id;
\pset format csv
select id, name from customer order by id;
\pset format aligned
\pset null '(null)'
select null as n, 1 as one;
\echo == transactions
begin;
select 1 / 0;
select 1;
rollback;
\echo == copy
copy (select 1, 'a') to stdout;
\copy (select 2, 'b') to stdout csv
\echo == conninfo
\encoding
