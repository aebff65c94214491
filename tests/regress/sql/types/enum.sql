-- Enum order, input errors, functions and ADD VALUE
create type mood as enum ('sad', 'ok', 'happy');
select 'ok'::mood, 'sad'::mood < 'happy'::mood, enum_first(null::mood), enum_last(null::mood), enum_range(null::mood), enum_range('ok'::mood, null);
select 'angry'::mood;
create table p (n text, m mood);
insert into p values ('a', 'happy'), ('b', 'sad'), ('c', 'ok');
select * from p order by m;
select max(m), min(m) from p where m > 'sad';
alter type mood add value 'meh' before 'ok';
select enum_range(null::mood);
alter type mood add value if not exists 'ok';
alter type mood add value 'ok';
alter type mood rename value 'meh' to 'blah';
insert into p values ('d', 'blah');
select n from p order by m desc;
drop type mood;
create type mood as enum ('x');
create type dup as enum ('x', 'x');
