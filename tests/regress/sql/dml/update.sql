-- UPDATE: expressions, row assignment, FROM, RETURNING, errors
-- xfail: uniqueness is checked in another order of rows
create table t (id int primary key, a int, b text default 'dflt');
insert into t values (1, 10, 'x'), (2, 20, 'y'), (3, 30, 'z');
update t set a = a + 1 where id > 1;
update t set (a, b) = (0, 'w') where id = 1 returning *;
update t set (a, b) = (select 5, 'sub') where id = 2 returning *;
update t set b = default where id = 3 returning *;
update t set a = v.n from (values (1, 100), (2, 200)) v(i, n) where t.id = v.i;
select * from t order by id;
update t x set a = 1 where x.id = 1 returning x.a, id;
update t x set a = 1 where t.id = 1;
update t set nope = 1;
update t set a = 1, a = 2;
update t set (a, b) = (1);
update t set a = 'x';
update t set a = 1 where nope;
update t set id = id + 1;
update t set id = 1 where id = 3;
update nope set a = 1;
update t set a = default, b = null;
update t set a = 1 where false;
update t set t.a = 1;
