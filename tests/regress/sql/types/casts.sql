-- Explicit casts, assignment casts and those that do not exist
select cast('1' as int), int '5', '1'::text::int, 1::text, 1.7::int, 2.5::int, -2.5::int, 1.5::numeric::int8, true::text, 'a'::text::name, 12::float8::numeric;
select 3000000000::int4;
select 1::date;
select '{}'::int;
select true::date;
select 1::bool::int, 'abc'::char, now()::date = current_date, 100000::int2;
create table c (i int, t text, n numeric(4,1));
insert into c values (1.6, 5, '12.34') returning *;
insert into c values (true, 'x', 1);
insert into c values ('x', 'x', 1);
insert into c (t) values (date '2024-01-01') returning t;
select cast(1 as nonesuch);
