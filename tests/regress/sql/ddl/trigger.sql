-- Triggers: BEFORE, AFTER, INSTEAD OF, WHEN, statement level, transition tables
create table t (a int, b text);
create table log (n serial, what text);
create function trg() returns trigger language plpgsql as $$
begin
  insert into log (what) values (tg_name || ' ' || tg_when || ' ' || tg_op || ' ' || tg_level || ' ' || coalesce(old.a::text, '-') || ' ' || coalesce(new.a::text, '-'));
  if tg_op = 'DELETE' then return old; end if;
  new.b := coalesce(new.b, '') || '+';
  return new;
end $$;
create trigger bi before insert or update on t for each row execute function trg();
create trigger ad after delete on t for each row when (old.a > 1) execute function trg();
insert into t values (1, 'x'), (2, null);
update t set a = 5 where a = 2;
delete from t;
select what from log order by n;
create function skip() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger a_skip before insert on t for each row when (new.a < 0) execute function skip();
insert into t values (-1, 'no'), (3, 'yes');
select * from t;
create function st() returns trigger language plpgsql as $$ begin raise notice '% rows', (select count(*) from newtab); return null; end $$;
create trigger tr after insert on t referencing new table as newtab for each statement execute function st();
insert into t select g from generate_series(10, 12) g;
create view v as select a from t;
create function iv() returns trigger language plpgsql as $$ begin insert into t values (new.a, 'via view'); return new; end $$;
create trigger iot instead of insert on v for each row execute function iv();
insert into v values (99) returning a;
select b from t where a = 99;
alter table t disable trigger all;
insert into t values (7, 'plain');
select b from t where a = 7;
create trigger bi before insert on t for each row execute function trg();
create trigger x before insert on t for each row execute function nope();
drop trigger nope on t;
select tgname, pg_get_triggerdef(oid) from pg_trigger where tgrelid = 't'::regclass order by 1;
