-- Composite types: literals, field access, comparison, update
create type pair as (a int, b text);
select '(1,x)'::pair, row(1, 'a b')::pair, ('(1,"a ""q"" b")'::pair).b, (row(1, null)::pair).*;
create table t (id int, p pair);
insert into t values (1, (2, 'z')), (2, row(3, null));
select id, (p).a, p.b from t;
select id, (p).a, (t.p).b, p is null, p is not null from t order by id;
update t set p.b = 'new' where id = 2 returning p;
select row(1, 2) < row(1, 3), row(1, null) = row(1, null), (1, 2) = (1, 2), row(1, 'a') is distinct from row(1, null);
select '(1)'::pair;
select '(a,b)'::pair;
select (p).zz from t;
select t from t order by id;
alter type pair add attribute c bool;
