-- plpgsql: control flow, exceptions, RAISE and contexts
create function f(n int) returns int language plpgsql as $$
declare s int := 0;
begin
  for i in 1..n loop
    continue when i % 2 = 0;
    s := s + i;
  end loop;
  return s;
end $$;
select f(5);
create function g(n int) returns text language plpgsql as $$
begin
  if n > 0 then return 'positive'; elsif n = 0 then return 'zero'; else raise exception 'negative: %', n using errcode = '22023', hint = 'be positive', detail = 'no'; end if;
end $$;
select g(1), g(0);
select g(-1);
create function h() returns int language plpgsql as $$
begin
  perform 1 / 0;
exception when division_by_zero then
  raise notice 'caught % %', sqlstate, sqlerrm;
  return -1;
end $$;
select h();
create function e() returns int language plpgsql as $$
begin
  return 1 / 0;
end $$;
select e();
do $$ begin raise warning 'careful'; raise info 'info'; raise notice 'n % %', 1, null; end $$;
create function t() returns setof int language plpgsql as $$
begin
  return next 1;
  return query select generate_series(2, 3);
end $$;
select * from t();
create function dyn(tab text) returns bigint language plpgsql as $$
declare r bigint;
begin
  execute format('select count(*) from %I', tab) into r;
  return r;
end $$;
select dyn('pg_am') > 0;
select dyn('nope');
do $$ declare r record; begin for r in select * from (values (1, 'a'), (2, 'b')) v(x, y) loop raise notice '%-%', r.x, r.y; end loop; end $$;
create function noret() returns int language plpgsql as $$ begin end $$;
select noret();
create function syn() returns int language plpgsql as $$ begin retrn 1; end $$;
