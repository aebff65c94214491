-- DELETE of a table that refers to itself: the rows that CASCADE takes are those of the statement too
create table self (a int primary key, b int references self on delete cascade);
create function shows() returns trigger language plpgsql as $$ begin if tg_when = 'AFTER' then raise notice '% old=%', tg_name, (select array_agg(o order by o.a) from o); else raise notice '%', tg_name; end if; return null; end $$;
create trigger bs before delete on self for each statement execute function shows();
create trigger st after delete on self referencing old table as o for each statement execute function shows();
insert into self values (1, null), (2, 1), (3, 2), (4, 3), (5, null);
delete from self where a = 1;
delete from self;
select * from self;
