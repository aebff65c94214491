-- INSERT: column lists, DEFAULT, multiple rows, SELECT, errors
create table t (a int default 7, b text, c text default 'd');
insert into t values (1, 'x', 'y'), (2, default, default), (default, 'z');
insert into t (b) values ('only b');
insert into t default values;
insert into t (c, a) select 'sel', 100 + g from generate_series(1, 2) g;
select * from t order by a, b;
insert into t values (1, 2, 3, 4);
insert into t (a, b) values (1);
insert into t (a, a) values (1, 2);
insert into t (nope) values (1);
insert into t (a) values (1, 2);
insert into t values ('x');
insert into nope values (1);
insert into t (a) values ((select max(a) from t)) returning a;
insert into t (a, b) values (1, 'p') returning *, a + 1 as next, t.b;
insert into t as x (a) values (55) returning x.a;
insert into t overriding system value values (77) returning a;
