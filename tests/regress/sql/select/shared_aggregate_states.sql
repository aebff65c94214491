-- Aggregates with the same transition function, arguments and initial value share their state.
create schema shared_states;
set search_path = shared_states;
create type avg_state as (total bigint, count bigint);
create function avg_transfn(state avg_state, n int) returns avg_state as $$
begin
  raise notice 'called with %', n;
  if state is null then
    return row(n, 1)::avg_state;
  end if;
  return row(state.total + n, state.count + 1)::avg_state;
end $$ language plpgsql;
create function avg_finalfn(state avg_state) returns int4 as
  $$ begin return state.total / state.count; end $$ language plpgsql strict;
create function sum_finalfn(state avg_state) returns int4 as
  $$ begin return state.total; end $$ language plpgsql strict;
create aggregate my_avg(int4) (stype=avg_state, sfunc=avg_transfn, finalfunc=avg_finalfn);
create aggregate my_sum(int4) (stype=avg_state, sfunc=avg_transfn, finalfunc=sum_finalfn);
create aggregate my_sum_10(int4) (stype=avg_state, sfunc=avg_transfn, finalfunc=sum_finalfn, initcond='(10,0)');
create aggregate my_own(int4) (stype=avg_state, sfunc=avg_transfn, finalfunc=sum_finalfn, finalfunc_modify=read_write);
select my_avg(x), my_sum(x) from (values (1),(3)) t(x);
select my_avg(distinct x), my_sum(distinct x) from (values (1),(3),(1)) t(x);
select my_avg(x) filter (where x > 1), my_sum(x) from (values (1),(3)) t(x);
select my_avg(x), my_sum_10(x) from (values (1),(3)) t(x);
select my_sum(x), my_own(x) from (values (1),(3)) t(x);
select my_avg(x), my_sum(x) from (values (1)) t(x) where false;
create aggregate common(anyrange) (stype=anyrange, sfunc=range_intersect_agg_transfn);
create aggregate common(anymultirange) (stype=anymultirange, sfunc=multirange_intersect_agg_transfn);
select common(x), common(int4multirange(x)) from (values (int4range(1,5)),(int4range(3,8))) v(x);
select float8_regr_combine('{3,60,200,750,20000,2000}', '{2,180,200,740,57800,-3400}'),
       float8_regr_combine('{3,60,200,750,20000,2000}', '{0,0,0,0,0,0}');
-- a function whose row type has got another column
create function rows_of() returns setof avg_state language sql as $$ select 1::bigint, 2::bigint $$;
select * from rows_of();
alter type avg_state add attribute more int;
select * from rows_of();
-- a FULL JOIN that the conditions above it make another join
select * from (values (1),(2)) a(x) full join (values (2),(3)) b(y) on x < y where x = 2;
select * from (values (1),(2)) a(x) full join (values (2),(3)) b(y) on x < y where y is not null order by 1,2;
select * from (values (1),(2)) a(x) full join (values (2),(3)) b(y) on x < y where x is null;
drop schema shared_states cascade;
