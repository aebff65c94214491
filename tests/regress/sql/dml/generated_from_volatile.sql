-- A generated column follows the value that was stored: volatile expressions are computed once
create sequence s;
create table g (id int generated always as identity, v int, twice int generated always as (id * 2) stored, w int generated always as (v + 1) stored);
merge into g using (values (1), (2)) z (k) on false when not matched then insert (v) values (nextval('s'));
select * from g order by id;
update g set v = nextval('s') returning *;
update g set v = nextval('s'), id = default where id = 1 returning v = w - 1, id * 2 = twice;
merge into g using (values (1)) z (k) on true when matched then update set v = nextval('s');
select v = w - 1 from g;
create table c (a int primary key, b float8, c float8 generated always as (b + 1) stored);
insert into c (a, b) values (1, 1) on conflict (a) do nothing;
insert into c (a, b) values (1, 1), (2, 2) on conflict (a) do update set b = random();
select a, c = b + 1 from c order by a;
insert into c (a, b) values (1, 1) on conflict (a) do update set b = c.b * 0 + nextval('s') returning c = b + 1;
update c set (a, b) = (select 10 + c.a, random()) returning c = b + 1;
select currval('s');
