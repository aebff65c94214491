-- PL/pgSQL: variables, results, arguments and their errors with CONTEXT
create table t(a int primary key, b text, c numeric(10,2) default 0);
insert into t select i, 'r'||i, i*1.5 from generate_series(1,10) i;
create type comp as (x int, y text, z int[]);
create domain posint as int check (value > 0);
create function f1(p int) returns int language plpgsql as $$
declare v int := p; w constant int := 3; x t.b%type; r t%rowtype; rr record; arr int[]; c comp; d posint := 1;
begin
  select b into x from t where a = p;
  raise notice 'x=%', x;
  select * into r from t where a = p;
  raise notice 'r=%', r;
  select a, b into rr from t where a = p;
  raise notice 'rr=% %', rr.a, rr.b;
  arr := array[1,2,3]; arr[2] := 20; arr[5] := 50;
  raise notice 'arr=%', arr;
  arr[1:2] := array[7,8];
  raise notice 'arr=%', arr;
  c.x := 1; c.y := 'yy'; c.z := '{1,2}'; c.z[3] := 9;
  raise notice 'c=%', c;
  c := row(2,'q',null);
  raise notice 'c=% %', c, c.z is null;
  d := 0;
  return v;
end $$;
select f1(3);
select f1(300);
create function f2() returns void language plpgsql as $$
declare w constant int := 3;
begin w := 4; end $$;
create function f3() returns void language plpgsql as $$
declare w int not null;
begin w := 4; end $$;
create function f3() returns void language plpgsql as $$
declare w int not null := 3;
begin w := null; end $$;
select f3();
create function f4() returns int language plpgsql as $$
begin
  perform 1;
end $$;
select f4();
create function f5(a int, b int default 10, c text default 'c') returns text language plpgsql as $$
begin return format('%s %s %s', a,b,c); end $$;
select f5(1); select f5(1, c => 'x'); select f5(c => 'q', a => 3); select f5(b=>3); select f5(1, a=>3); select f5(1,d=>3);
select f5(a=>1, 2);
select f5(1,2,'3',4);
create function f6(variadic a int[]) returns int language plpgsql as $$ begin return array_length(a,1); end $$;
select f6(1,2,3), f6(variadic array[1,2]), f6(variadic '{}'::int[]);
select f6();
select f6(variadic 1);
select f6('a');
create function f7(inout a int, out b text, in c int) language plpgsql as $$ begin b := a||'b'||c; a := a*2; end $$;
select f7(1,2); select * from f7(1,2); select (f7(1,2)).b;
create function f8(out a int, out b int) returns setof record language plpgsql as $$
begin for i in 1..3 loop a := i; b := i*i; return next; end loop; end $$;
select * from f8(); select f8();
create function f9() returns table(k int, v text) language plpgsql as $$
begin return query select a, t.b from t where a < 4; raise notice 'found %', found; return query execute 'select a, b from t where a > $1' using 8; k := 100; v := 'last'; return next; end $$;
select * from f9();
create function f10() returns setof t language plpgsql as $$
declare r t; begin for r in select * from t where a<3 loop r.b := upper(r.b); return next r; end loop; return; end $$;
select * from f10();
create function f11() returns setof int language plpgsql as $$ begin return next 1; return next 'x'; end $$;
select f11();
create function f12() returns setof int language plpgsql as $$ begin return 1; end $$;
create function f13() returns int language plpgsql as $$ begin return next 1; end $$;
create function f14() returns int language plpgsql as $$ begin return query select 1; end $$;
create function f15() returns void language plpgsql as $$ begin return 1; end $$;
create function f16(out a int) language plpgsql as $$ begin return 1; end $$;
create function f17() returns setof record language plpgsql as $$ begin return query select 1, 'a'::text; end $$;
select * from f17();
select * from f17() as (a int, b text);
select * from f17() as (a int, b int);
select * from f17() as (a int);
select * from f17() as (a bigint, b text);
select f17();
create function f18() returns record language plpgsql as $$ begin return row(1,'a'::text); end $$;
select f18(); select * from f18() as (a int, b text); select * from f18() as (a int, b int); select * from f18() as (a int, b text, c int);
create function f19() returns comp language plpgsql as $$ begin return (1,'a'); end $$;
select f19();
create function f20() returns comp language plpgsql as $$ begin return 1; end $$;
create or replace function f20() returns comp language plpgsql as $$ declare r record; begin select 1, 'x'::text, array[1] into r; return r; end $$;
select f20(), (f20()).*;
create or replace function f20() returns comp language plpgsql as $$ declare r record; begin select 1, 2, array[1] into r; return r; end $$;
select f20();
create function f21() returns int language plpgsql as $$ declare a int; begin select a into strict a from t; return a; end $$;
select f21();
create function f22(p int) returns int language plpgsql as $$ declare v int; begin select a into strict v from t where a >= p; return v; end $$;
select f22(100); select f22(5); select f22(10);
create or replace function f22(p int) returns int language plpgsql as $$
#print_strict_params on
declare v int; begin select a into strict v from t where a >= p and b <> 'x'; return v; end $$;
select f22(100); select f22(5);
create function f23(p int) returns int language plpgsql as $$
#print_strict_params on
declare v int; begin execute 'select a from t where a >= $1 and b <> $2' into strict v using p, 'foo'; return v; end $$;
select f23(100); select f23(5);
create function f24() returns void language plpgsql as $$ begin select 1; end $$;
select f24();
create function f25() returns void language plpgsql as $$ begin nonsense; end $$;
create function f25() returns void language plpgsql as $$ begin perform nonsense; end $$;
select f25();
create function f26() returns void language plpgsql as $$ begin if 1 then raise notice 'x'; end if; if 'maybe' then null; end if; end $$;
select f26();
create function f27() returns void language plpgsql as $$ begin
 case 3 when 1,2 then raise notice '1'; when 4 then null; end case; end $$;
select f27();
create or replace function f27() returns void language plpgsql as $$ begin
 case when false then null; when 1>2 then null; end case; end $$;
select f27();
create function f28(x int) returns text language plpgsql as $$ begin
 case x when 1,2 then return '1-2'; when 3+1 then return '4'; else return 'else'; end case; end $$;
select f28(1), f28(2), f28(4), f28(9), f28(null);
drop function f28; drop function f28(int); drop function nonesuch(int, text); drop function if exists nonesuch(int, text);
create function o(int) returns int language sql as 'select 1'; create function o(text) returns int language sql as 'select 1';
drop function o;
drop function o(int), o(text);
