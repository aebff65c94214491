-- Comparisons, order and aggregates of bounded numeric columns, with NaN, NULL and the greatest values.
create temp table h1 (id int primary key, p numeric(10,2), q numeric(15,0), big numeric(18,4), u numeric);
insert into h1 values
 (1, 12.50, 5, 99999999999999.9999, 1.10),
 (2, -3.05, null, -0.0001, 'NaN'),
 (3, 'NaN', 'NaN', 'NaN', 'Infinity'),
 (4, null, -1, 0, '-Infinity'),
 (5, 0.00, 0, 0.0001, 0.000),
 (6, 99999999.99, 999999999999999, 1, 1e20),
 (7, -0.01, 1, -99999999999999.9999, 2),
 (8, 12.50, 2, 2.5, 1.1);
select id,p from h1 order by p,id;
select id,p from h1 order by p desc,id;
select id,p from h1 order by p nulls first,id desc;
select id from h1 order by big desc nulls last,id;
select id from h1 order by q,id;
select distinct p from h1 order by p;
select p,count(*) from h1 group by p order by p;
select id from h1 where p>12.5 order by id;
select id from h1 where p>=12.5 order by id;
select id from h1 where p>12.499 order by id;select id from h1 where p<12.501 order by id;
select id from h1 where p<=12.495 order by id;
select id from h1 where p=12.50 order by id;
select id from h1 where p=12.500 order by id;
select id from h1 where p=12.501 order by id;
select id from h1 where p<>12.501 order by id;
select id from h1 where not p=12.501 order by id;
select id from h1 where p>'NaN' order by id;
select id from h1 where p='NaN' order by id;
select id from h1 where p<'NaN' order by id;
select id from h1 where p>'Infinity' order by id;
select id from h1 where p<'Infinity' order by id;
select id from h1 where p>'-Infinity' order by id;
select id from h1 where p=null;
select id from h1 where p>-0.011 order by id;
select id from h1 where p<-0.009 order by id;
select id from h1 where p<=-0.015 order by id;
select id from h1 where p>=-0.015 order by id;select id from h1 where p>1e30 order by id;
select id from h1 where p> -1e30 order by id;
select id from h1 where 5<p order by id;
select id from h1 where 5 >= p order by id;
select id from h1 where p between 0 and 12.5 order by id;
select id from h1 where p > 5 order by id;
select id from h1 where p <> 0 order by id;
select id from h1 where p in (12.5, 0) order by id;
select id from h1 where q=1 order by id;
select id from h1 where big>=99999999999999.99985 order by id;
select id from h1 where big < 0.00005 order by id;
select id from h1 where u>1.1 order by id;
select id, row_number() over (order by p desc, id) r, rank() over (partition by p order by id) k, sum(p) over (order by p) from h1 order by id;
select sum(p),avg(p),min(p),max(p),sum(big),avg(q),sum(u),avg(u),stddev(p) from h1;
select sum(p),avg(p),min(p),max(p),sum(big),avg(big),sum(q) from h1 where id not in (3);
select sum(u),avg(u) from h1 where id in (1,5,7,8);
select sum(p) from h1 where false;
select sum(distinct p), avg(distinct big) from h1 where id<>3;
select p, sum(big), avg(u) from h1 group by p order by p;
select sum(p) filter (where id>4), sum(case when id>6 then p end), sum(p*q) from h1 where id<>3;
select sum(p) over w, avg(u) over w from h1 window w as (order by id rows between 2 preceding and current row);
select id,p from h1 order by p,id;
select id from h1 where p>12.499 order by id;
select x.p, y.p from h1 x left join h1 y on y.id=x.id+5 and y.p>0 order by y.p nulls first, x.id;
create temp view hv as select p as pp from h1;
select pp from hv where pp >= 0.005 order by pp desc;
select x.p, y.p from h1 x left join h1 y on y.id = x.id + 5 and y.p > 0 order by y.p nulls first, x.id;
prepare q1(numeric) as select id from h1 where p > $1 and big < $1 order by big;
execute q1(1.005);
execute q1('NaN');
execute q1(null);
select min(p) filter (where id > 4), max(big) filter (where id < 3), avg(p) filter (where id = 99), sum(q) filter (where id <> 3) from h1;
select sum(p) * 2, avg(q) + 1, min(p) + max(p) from h1 where id <> 3;
select p > 0 as more, sum(big), count(p) from h1 where id <> 3 group by p > 0 having sum(p) > -10 order by sum(big);
select (select sum(y.p) from h1 y where y.id <= x.id and y.id <> 3) from h1 x order by x.id;
select sum(p) from h1 where p = 'NaN';
select id from h1 where p = any (array[12.5, 0]) order by id;
insert into h1 values (9, 'Infinity');
update h1 set p = p * 2 where p > 12 and id <> 3 and p < 100;
delete from h1 where p >= 25;
select id, p from h1 order by p desc nulls last, id;
create index on h1 (p);
select id, p from h1 order by p, id;
select id from h1 where p > 12.499 order by id;
select min(p), max(p), sum(p) from h1 where id <> 3;
