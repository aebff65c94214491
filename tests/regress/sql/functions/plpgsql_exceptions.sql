-- PL/pgSQL: conditions, RAISE, diagnostics, CONTEXT of every statement
create table t(a int primary key, b text not null check (b <> 'bad'), c int unique);
insert into t values (1,'x',1);
create function e1(p int) returns text language plpgsql as $$
declare s text; m text; d text; h text; c text; col text; con text; dt text; tab text; sch text; n int;
begin
  begin
   if p = 1 then insert into t values (1,'z',2);
   elsif p = 2 then insert into t values (2,null,2);
   elsif p = 3 then insert into t values (2,'bad',2);
   elsif p = 4 then perform 1/0;
   elsif p = 5 then raise exception 'custom % %%', p using errcode='22012', detail='det', hint='hin', column='co', constraint='cn', datatype='dt', table='tb', schema='sc';
   elsif p = 6 then raise division_by_zero;
   elsif p = 7 then raise sqlstate '12345';
   elsif p = 8 then raise 'just message';
   elsif p = 9 then raise exception using message = 'm', errcode = 'unique_violation';
   elsif p = 10 then perform 'abc'::int;
   elsif p = 11 then execute 'select foo(';
   elsif p = 12 then raise unique_violation using message='dup', detail='d';
   elsif p = 13 then assert false, 'assertion';
   end if;
   get diagnostics n = row_count;
   raise notice 'rows %', n;
  exception
   when unique_violation or not_null_violation then
    raise notice 'caught uv/nn % %', sqlstate, sqlerrm;
    get stacked diagnostics s = returned_sqlstate, m = message_text, d = pg_exception_detail, h = pg_exception_hint, c = pg_exception_context, col = column_name, con = constraint_name, dt = pg_datatype_name, tab = table_name, sch = schema_name;
    raise notice '[%] [%] [%] [%] [%] [%] [%] [%] [%] [%]', s, m, d, h, c, col, con, dt, tab, sch;
   when sqlstate '22012' then
    raise notice 'div % %', sqlstate, sqlerrm;
    get stacked diagnostics s = returned_sqlstate, m = message_text, d = pg_exception_detail, h = pg_exception_hint, c = pg_exception_context, col = column_name, con = constraint_name, dt = pg_datatype_name, tab = table_name, sch = schema_name;
    raise notice '[%] [%] [%] [%] [%] [%] [%] [%] [%] [%]', s, m, d, h, c, col, con, dt, tab, sch;
   when data_exception then raise notice 'class 22 %', sqlstate;
   when others then raise notice 'others % %', sqlstate, sqlerrm;
    get stacked diagnostics s = returned_sqlstate, m = message_text, d = pg_exception_detail, h = pg_exception_hint, c = pg_exception_context, col = column_name, con = constraint_name, dt = pg_datatype_name, tab = table_name, sch = schema_name;
    raise notice '[%] [%] [%] [%] [%] [%] [%] [%] [%] [%]', s, m, d, h, c, col, con, dt, tab, sch;
  end;
  return 'ok';
end $$;
select count(e1(i)) from generate_series(0,12) i;
select e1(13);
do $$ begin assert 1=2; end $$;
do $$ begin assert null, 'it is ' || 'null'; end $$;
do $$ begin assert true, 1/0; end $$;
set plpgsql.check_asserts = off; do $$ begin assert 1=2; end $$; reset plpgsql.check_asserts;
do $$ begin begin assert false; exception when assert_failure then raise notice 'caught %', sqlerrm; end; end $$;
do $$ begin raise debug 'a'; raise log 'b'; raise info 'c'; raise notice 'd'; raise warning 'e'; raise exception 'f'; end $$;
set client_min_messages=debug1; do $$ begin raise debug 'a'; end $$; reset client_min_messages;
do $$ begin raise; end $$;
do $$ begin raise notice '% %', 1; end $$;
do $$ begin raise notice '%', 1, 2; end $$;
do $$ begin raise notice 'a' using foo = 1; end $$;
do $$ begin raise notice 'a' using message = 'b'; end $$;
do $$ begin raise exception 'a' using errcode = 'nonesuch'; end $$;
do $$ begin raise nonesuch; end $$;
do $$ begin raise exception 'a' using errcode = null; end $$;
do $$ begin raise exception 'a' using detail = 'a', detail = 'b'; end $$;
do $$ begin raise exception unique_violation using errcode = '22012'; end $$;
do $$ begin raise notice unique_violation; raise warning sqlstate 'ABCDE' using message = 'hello', hint = 'h'; end $$;
do $$ begin raise exception sqlstate 'abc'; end $$;
do $$ begin raise notice null; end $$;
do $$ begin raise notice '%', null; raise notice '%%%', 5; raise notice 'é %', array[1,null]; end $$;
do $$ begin begin raise exception 'inner'; exception when others then raise; end; exception when others then raise notice 'outer got %', sqlerrm; raise; end $$;
do $$ begin begin raise exception 'inner'; exception when others then raise exception 'second: %', sqlerrm using hint='hh'; end; end $$;
do $$ begin raise exception 'inner'; exception when nonesuch then null; end $$;
do $$ begin null; exception when sqlstate '1234' then null; end $$;
do $$ begin null; exception when sqlstate 'abcde' then null; end $$;
do $$ begin raise notice '%', sqlstate; end $$;
do $$ declare s text; begin get stacked diagnostics s = message_text; end $$;
do $$ declare s text; begin get diagnostics s = message_text; end $$;
do $$ declare s text; begin get stacked diagnostics s = row_count; end $$;
do $$ declare s text; begin get diagnostics s = foo; end $$;
do $$ declare s text; begin get diagnostics q = row_count; end $$;
do $$ declare s text; o oid; begin get current diagnostics s = pg_context; raise notice '%', s; update t set b = b; get diagnostics s := row_count; raise notice '%', s; end $$;
create function ctx3() returns text language plpgsql as $$ declare s text; begin
 get diagnostics s = pg_context; return s; end $$;
create function ctx2() returns text language plpgsql as $$ declare s text; begin
 s := ctx3(); return s; end $$;
create function ctx1() returns text language plpgsql as $$ declare s text; begin
 select ctx2()
   into s; return s; end $$;
create function ctx0() returns text language sql as $$ select ctx1() from t $$;
select ctx0();
create function er3(int) returns int language plpgsql as $$ begin return 1/$1; end $$;
create function er2(a int) returns int language plpgsql as $$ declare x int; begin
  x := er3(a);
  return x; end $$;
create function er1(a int) returns int language plpgsql as $$ begin
  if er2(a) > 0 then null; end if;
  return 3; end $$;
create function er0(a int) returns setof int language plpgsql as $$ begin
  return query select er1(a);
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare r record; begin
  for r in select er1(a) loop return next 1; end loop;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare r record; begin
  execute 'select er1($1)' using a;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  perform er1(a);
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  for i in er1(a)..3 loop null; end loop;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  while er1(a) > 2 loop null; end loop;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare x int default er1(a); begin
  null;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  raise notice '%', er1(a);
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  case er1(a) when 1 then null; end case;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  case when er1(a)=1 then null; end case;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  return next er1(a);
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  insert into t values (er1(a));
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare c cursor for select er1(a); z int; begin
  open c;
  fetch c into z;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare c cursor for select er1(a); z int; begin
  for r in c loop null; end loop;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare z int[]; begin
  foreach a in array array[er1(a)] loop null; end loop;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  exit when er1(a)=1;
  end $$;
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  loop exit when er1(a)=1; end loop;
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  assert er1(a)=1;
  end $$;
select * from er0(0);
create procedure prx(a int) language plpgsql as $$ begin perform er1(a); end $$;
create or replace function er0(a int) returns setof int language plpgsql as $$ begin
  call prx(a);
  end $$;
select * from er0(0);
create or replace function er0(a int) returns setof int language plpgsql as $$ declare q int[]; begin
  q[er1(a)] := 1;
  end $$;
select * from er0(0);
call prx(0);
do $$ begin call prx(0); end $$;
do $$
begin
  null;
  perform er1(0);
end $$;
