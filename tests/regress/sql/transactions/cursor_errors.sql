-- Errors of a cursor's query are met by FETCH
create table t(a int); insert into t select generate_series(1,10);
begin; declare c cursor for select a/0 from t order by a; savepoint two; fetch 10 from c; rollback to two; fetch 10 from c; rollback to two; release two; fetch 10 from c; commit;
begin; declare c cursor for select 1/(a-5) from t order by a; fetch 2 c; fetch 1 c; fetch 2 c; rollback; begin; declare c scroll cursor for select 1/(a-5) from t order by a; fetch 2 c; fetch backward 1 c; fetch last c; rollback; begin; declare c cursor for select 1/0 from t; rollback; begin; declare c cursor for select a/(1-1) from t; rollback; begin; declare c cursor for select 'x'::int; rollback; begin; declare c cursor with hold for select 1/(a-5) from t order by a; fetch 3 c; commit; fetch c; select 1; declare c cursor with hold for select 1/(a-5) from t; fetch c; begin; declare c cursor for select 1/(a-5) from t order by a; close c; commit; begin; declare c cursor for select 1/(a-5) from t order by a; commit;
do $$ declare r record; begin for r in select 1/(a-3) as q, a from t order by a loop raise notice '%', r; end loop; end $$;
do $$ declare r record; n int := 0; begin begin for r in select 1/(a-3) as q, a from t order by a loop n := n + 1; end loop; exception when division_by_zero then raise notice 'after %', n; end; end $$;
do $$ declare r record; c cursor for select 1/(a-3) as q, a from t order by a; begin open c; fetch c into r; raise notice '%', r; fetch c into r; fetch c into r; end $$;
do $$ declare r record; c cursor for select 1/(a-3) as q, a from t order by a; begin for r in c loop raise notice '%', r; end loop; end $$;
do $$ declare r record; begin for r in execute 'select 1/(a-$1) as q, a from t order by a' using 2 loop raise notice '%', r; exit; end loop; end $$;
create function sf(x int) returns int stable language plpgsql as $$ begin if x > 3 then raise exception 'too big %', x; end if; return x; end $$;
do $$ declare r record; begin for r in select sf(a) from t order by a loop raise notice '%', r; end loop; end $$;
