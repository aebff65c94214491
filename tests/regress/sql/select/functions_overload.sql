-- Function resolution: ambiguity, variadic, named and default arguments
create function f(int) returns text language sql as 'select ''int''';
create function f(numeric) returns text language sql as 'select ''numeric''';
create function f(text, int default 5) returns text language sql as 'select $1 || $2';
select f(1), f(1.5), f('x'), f('x', 6), f(1::int2), f(1::int8);
create function v(variadic a int[]) returns int language sql as 'select cardinality(a)';
select v(1), v(1, 2, 3), v(variadic array[1, 2]), v();
create function n(a int, b int default 2, c int default 3) returns int language sql as 'select a * 100 + b * 10 + c';
select n(1), n(1, c => 9), n(a => 4, b => 5), n(b := 7, a := 6);
select n();
select n(b => 1);
select n(1, a => 2);
select n(1, 2, 3, 4);
select f(date '2024-01-01');
create function f(int) returns int language sql as 'select 1';
create or replace function f(int) returns int language sql as 'select 1';
select pg_typeof(f(null));
