-- EXCEPTION blocks take back what they did; volatile functions do not disturb the statement that calls them
create table u(a int);
begin; do $$ begin begin insert into u values (1); perform 1/0; exception when others then null; end; insert into u values (2); end $$; select * from u; rollback; select * from u;
begin; do $$ begin begin insert into u values (1); raise exception 'x'; exception when others then null; end; end $$; commit; select * from u;
begin; insert into u values (10); do $$ begin begin update u set a = 99; create table zz(a int); insert into zz values (1); raise exception 'x'; exception when others then null; end; insert into u values (11); end $$; savepoint s; insert into u values (12); rollback to s; commit; select * from u order by a; select * from zz;
create function fe(x int) returns int language plpgsql as $$ begin begin insert into u values (x); if x % 2 = 0 then raise exception 'even'; end if; return x; exception when raise_exception then return -x; end; end $$;
select fe(g) from generate_series(100, 105) g; select * from u order by a; select a, fe(a) from u where a < 50 order by a; insert into u select fe(g) from generate_series(200,203) g; select * from u order by a;
begin; select fe(g) from generate_series(300, 303) g; rollback; select count(*) from u;
do $$ begin set local work_mem='7MB'; begin set local work_mem = '9MB'; raise exception 'x'; exception when others then raise notice '%', current_setting('work_mem'); end; end $$; show work_mem;
create table zz(a int); do $$ begin begin drop table zz; raise exception 'x'; exception when others then null; end; end $$; select * from zz;
do $$ begin for i in 1..3 loop begin insert into u values (i); if i = 2 then raise exception 'x'; end if; exception when others then raise notice 'r %', i; end; end loop; end $$; select * from u where a < 5 order by a;
