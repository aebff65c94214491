-- A function that is not volatile may call one that is, and so write.
create table written (a int);
create function writes(i int) returns int volatile language plpgsql as $$
begin insert into written values (i); return i; end $$;
create function reader() returns int stable language plpgsql as $$ begin return writes(5); end $$;
create function reader_sql() returns int stable language sql as $$ select writes(6) $$;
create function direct() returns int stable language plpgsql as $$
begin insert into written values (1); return 1; end $$;
select reader();
select reader();
begin;
select reader();
rollback;
select reader_sql();
select g, case when g > 2 then reader() end as r from generate_series(1, 3) g;
select direct();
do $$ begin perform reader(); raise notice '%', (select reader() + 1); end $$;
prepare p as select reader();
execute p;
execute p;
declare k cursor with hold for select reader() from generate_series(1, 2);
fetch all from k;
close k;
select a, count(*) from written group by a order by a;
drop function reader(), reader_sql(), direct(), writes(int);
drop table written;
-- A stable function sees the tables as its statement does, not what that has written so far.
create table t(a int);
create function rows_now() returns bigint stable language sql as 'select count(*) from t';
create function sum_now() returns int stable language plpgsql as $$ begin return (select sum(a) from t); end $$;
insert into t select rows_now() from generate_series(1,3) returning a;
insert into t values (rows_now()), (rows_now()) returning a;
truncate t; insert into t values (1),(2),(3);
update t set a = sum_now() returning a;
truncate t; insert into t values (1),(2),(3);
delete from t where sum_now() > 3 returning a;
select count(*) from t;
insert into t values (1),(2),(3);
update t set a = sum_now() + x.a from (select a from t) x where x.a = t.a returning t.a;
merge into t using (values (6), (8)) v(i) on t.a = v.i + 1 when matched then update set a = sum_now() when not matched then insert values (sum_now());
select * from t order by a;
create unique index on t (a); insert into t values (sum_now()) on conflict do nothing; 
begin; update t set a = sum_now() + a where a < 10; select sum_now(); rollback;
drop table t; drop function rows_now, sum_now;
