-- GROUP BY, HAVING and their errors
create table t (id int primary key, g text, v int);
insert into t values (1, 'a', 10), (2, 'a', 20), (3, 'b', null), (4, null, 5);
select g, count(*), count(v), sum(v), avg(v), min(v), max(v) from t group by g order by g;
select g, sum(v) from t group by g having count(*) > 1;
select upper(g) as u, count(*) from t group by u order by u;
select g, count(*) from t group by 1 order by 2 desc, 1;
select id, g, v from t group by id order by id;
select g, v from t group by g;
select count(*) from t where sum(v) > 1;
select sum(count(*)) from t;
select g from t having true;
select count(*) filter (where v > 5), sum(v) filter (where g = 'a') from t;
select count(*) from t where false;
select g, count(*) from t where false group by g;
select sum(v), avg(v), array_agg(v), string_agg(g, ',') from t where false;
select v + 1 from t group by v + 1 order by 1;
