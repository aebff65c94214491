-- COPY: rules, rows that triggers skip, end markers, lines within quotes, headers of no lines
create table e (a int, b text);
create index ix on e (a);
create type ct as (a int);
copy ix to stdout;
copy ct to stdout;
copy ct from stdin;
copy ix from stdin;
create function skips() returns trigger language plpgsql as $$ begin if new.a = 5 then return null; end if; return new; end $$;
create trigger tr before insert on e for each row execute function skips();
copy e (a) from stdin;
4
5
\.
drop trigger tr on e;
create rule r as on insert to e do instead nothing;
copy e (a) from stdin;
6
\.
create view v as select * from e;
create function through() returns trigger language plpgsql as $$ begin raise notice 'through %', new; return new; end $$;
create trigger tr instead of insert on v for each row execute function through();
create rule r as on insert to v do instead delete from e;
copy v from stdin;
7	x
\.
select * from e order by a;
drop rule r on e;
copy e from stdin;
1	x\.
\.
copy e from stdin;
1	x\.y
\.
copy e from stdin csv;
1,"a
b"
x,"x
y"
\.
copy e from stdin csv;
1,"abc
\.
copy e (a, b) from stdin (format text, header match);
\.
copy e (a) from stdin (format csv, header match);
\.
create rule also as on insert to e do also select 1;
copy (insert into e values (1) returning a) to stdout;
drop rule also on e;
create rule unless as on insert to e where new.a > 1 do instead nothing;
copy (insert into e values (1) returning a) to stdout;
drop rule unless on e;
create rule never as on delete to e do instead nothing;
copy (delete from e) to stdout;
create rule several as on update to e do instead (delete from e; select 1);
copy (update e set a = 1) to stdout;
copy (merge into e using ct on true when matched then delete) to stdout;
