-- DELETE: USING, RETURNING, tags
create table t (id int, a int);
insert into t select g, g * 10 from generate_series(1, 5) g;
delete from t where id = 1;
delete from t using (values (2), (3)) v(x) where t.id = v.x returning t.*, v.x;
delete from t as q where q.id = 4 returning q.a;
delete from t where t.nope = 1;
delete from only t where id = 99;
delete from t;
select count(*) from t;
