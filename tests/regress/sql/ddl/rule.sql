-- Rewrite rules
create table t (a int);
create table l (a int, op text);
create rule r as on insert to t do also insert into l values (new.a, 'ins');
insert into t values (1), (2);
select * from l order by a;
create rule d as on delete to t do instead nothing;
delete from t;
select count(*) from t;
create view v as select a from t;
create rule vi as on insert to v do instead insert into t values (new.a * 10);
insert into v values (5);
select a from t order by a;
drop rule r on t;
drop rule nope on t;
