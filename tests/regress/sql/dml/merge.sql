-- MERGE: matched, not matched, DO NOTHING, errors
create table target (id int primary key, v int);
create table source (id int, d int);
insert into target values (1, 10), (2, 20), (3, 30);
insert into source values (2, 5), (3, -30), (4, 40);
merge into target t using source s on t.id = s.id when matched and t.v + s.d = 0 then delete when matched then update set v = t.v + s.d when not matched then insert values (s.id, s.d);
select * from target order by id;
merge into target using source s on target.id = s.id when matched then do nothing when not matched then insert (id) values (s.id);
insert into source values (4, 1);
merge into target t using source s on t.id = s.id when matched then update set v = 0;
merge into target t using source s on t.id = s.id when not matched then update set v = 0;
merge into target t using nope s on t.id = s.id when matched then delete;
