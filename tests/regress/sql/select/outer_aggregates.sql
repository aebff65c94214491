-- Aggregates of an outer query inside its sub-selects
create table emp(id int primary key, dept int, sal numeric); insert into emp values (1,1,100),(2,1,80),(3,2,70),(4,2,70),(5,null,50);
select dept from emp group by dept having count(*) > 1 and max(sal) > all (select sal from emp where dept is null) order by 1;
select dept, max(sal) = any (select sal from emp where id = 1), sum(sal) in (select 180), max(sal) not in (select sal from emp where dept = 2), (max(sal), dept) = any (select sal, dept from emp), (max(sal), min(sal)) < (select 90, 1) from emp group by dept order by 1;
select max(sal) < all (select null::numeric) from emp;
do $$begin execute 'select 1 as x into s21'; end$$;
-- nested aggregates & outer-level aggregates
select (select max((select count(*) from emp e2 where e2.dept = e.dept))) from emp e;
select dept, (select sum(e.sal + x) from (values (1)) v(x)) from emp e group by dept order by 1;
select dept, (select count(*) from (select max(e.sal) m) q) from emp e group by dept order by 1;
select (select sum(e.sal)) from emp e; select (select sum(e.sal) from emp limit 1) from emp e; select (select array_agg(e.id order by e.id)) from emp e; select (select count(*) filter (where e.sal > 60) from emp e2 limit 1) from emp e order by 1 limit 1; select (select count(e.id) filter (where e.sal > 60)) from emp e;
select (select string_agg(e.id::text, ',' order by e.id desc) || v.x from (values ('!')) v(x)) from emp e; select exists(select 1 from emp e2 having max(e.sal) > 10) from emp e; select max(sal) from emp e having exists (select 1 from emp e2 where e2.sal < max(e.sal)); select dept from emp e group by dept having exists (select 1 from emp e2 where e2.sal > max(e.sal)) order by 1; select dept, (select count(*) from emp e2 where e2.sal > avg(e.sal)) from emp e group by dept order by 1; select dept from emp e group by dept order by (select count(*) from emp e2 where e2.sal > avg(e.sal)), dept; select dept, array(select e2.id from emp e2 where e2.sal >= max(e.sal) order by 1) from emp e group by dept order by 1;
select dept, (select x from (select max(e.sal) as x) q, (values (1)) v) from emp e group by dept order by 1; select dept, x from emp e group by dept, lateral (select max(e.sal)) q(x);
select * from emp e, lateral (select max(e.sal)) q; select * from emp e where id = (select max(e.id)); select * from emp e join lateral (select sum(e.sal) s) q on true; update emp e set sal = (select max(e.sal)); select (select (select max(e.sal))) from emp e; select (select (select max(e.sal) from emp e3 limit 1) from emp e2 limit 1) from emp e;
select count(*) over (order by (select max(e.sal))) from emp e; select sum(max(sal)) over () from emp; select max(sum(sal) over ()) from emp; select sum(sal) over (partition by max(sal)) from emp; select rank() over (order by max(sal)) from emp group by dept order by 1; select sum(rank() over ()) over () from emp;
