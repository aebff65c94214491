-- RETURNING: expressions, subqueries, star, system columns
create table t (id int generated always as identity primary key, a text);
insert into t (a) values ('x'), ('y') returning id, upper(a) as u;
update t set a = a || '!' returning id, a, (select count(*) from t);
delete from t where id = 1 returning tableoid::regclass, *;
insert into t (a) values ('z') returning nope;
insert into t (a) select 'q' where false returning *;
insert into t (a) values ('w') returning count(*);
