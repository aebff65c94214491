-- Constraints and AFTER triggers wait for the end of a statement with data-modifying CTEs
create table par(id int primary key, v int); create table chi(id int primary key, p int references par);
with p as (insert into par values (1,1) returning id) insert into chi select id*10, id from p returning *;
with c as (insert into chi values (5, 99) returning *), p as (insert into par values (99, 0)) select * from c;
with c as (insert into chi values (6, 77)) update par set v = 3;
with p as (delete from par where id = 99) update par set v = 4;
with c as (delete from chi returning p) delete from par using c where par.id = c.p returning par.id;
create function trg() returns trigger language plpgsql as $$begin raise notice '% % % %', tg_table_name, tg_when, tg_op, tg_level; return coalesce(new, old); end$$;
create trigger a after insert on par for each row execute function trg(); create trigger b before insert on par for each row execute function trg(); create trigger c after insert on par for each statement execute function trg();
create trigger a after insert on chi for each row execute function trg();
with p as (insert into par values (1,1) returning id) insert into chi select id, id from p returning id;
select count(*) from par;
