-- One transition table and one firing for all parts of a statement that change a table in one way
create function tt() returns trigger language plpgsql as $$ begin raise notice 'trigger = %, % new table = %', tg_name, tg_op, (select string_agg(n::text, ', ' order by n::text) from newt n); return null; end $$;
create function bb() returns trigger language plpgsql as $$ begin raise notice '% %', tg_name, tg_op; return null; end $$;
create table ta(a int, b text); 
create trigger bi before insert or update or delete on ta for each statement execute function bb();
create trigger tr after update on ta referencing new table as newt for each statement execute function tt();
create trigger tri after insert on ta referencing new table as newt for each statement execute function tt();
create trigger zz after insert or update or delete on ta for each statement execute function bb();
with w as (insert into ta values (43,'x')) insert into ta values (44,'y');
with w as (insert into ta values (45,'x')) merge into ta using (values (46)) v(a) on ta.a=v.a when not matched then insert values (v.a,'m');
with u as (update ta set b='u1' where a=43) update ta set b='u2' where a=44;
create table ob(x int); create trigger oi after insert on ob referencing new table as newt for each row execute function tt();
with w as (insert into ob values (1),(2)) insert into ob values (3);
insert into ta values (1,'a') on conflict do nothing; select * from ta order by 1;
with a as (insert into ta values (61,'x')), b as (insert into ta values (62,'y')) insert into ta values (63,'z');
