-- pg_get_*def functions print statements back
create table t (a int primary key, b text default 'x'::text, c int check (c > 1 and c < 10 or c = 20), d timestamptz default now());
create index i on t using btree (lower(b) desc, (a + 1)) where c is not null;
create view v as select t.a, case when b like 'x%' then coalesce(c, 0) else -1 end as k, (select max(a) from t) as m from t where a in (1, 2) and not (b is null) group by a order by 1 limit 5;
select pg_get_indexdef('i'::regclass), pg_get_constraintdef(oid) from pg_constraint where conname = 't_c_check';
select pg_get_viewdef('v'::regclass, true);
select column_name, column_default from information_schema.columns where table_name = 't' order by ordinal_position;
create function f(a int, variadic b text[] default '{}') returns setof t language sql stable strict as $$ select * from t $$;
select pg_get_functiondef('f'::regproc);
