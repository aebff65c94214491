-- Frames: RANGE over every type with in_range, offsets that are expressions, EXCLUDE, errors
create table w(id int, g text, x int, f float8, n numeric, d date, ts timestamp, tz timestamptz, t time, iv interval);
insert into w values
(1,'a',10,1,1,'2020-01-01','2020-01-01','2020-01-01+00','10:00','1 hour'),
(2,'a',10,2,2,'2020-01-02','2020-01-15','2020-01-15+00','11:00','2 hours'),
(3,'b',20,'infinity','infinity','2020-01-31','2020-02-01','2020-02-01+00','12:00','1 day'),
(4,'b',30,'-infinity','-infinity','infinity','infinity','infinity','13:00','2 days'),
(5,'b',null,'nan','nan','-infinity','-infinity','-infinity',null,'1 month'),
(6,'c',40,5.5,5.5,null,null,null,'23:30',null);
set timezone='UTC';
select id, row_number() over (order by id), rank() over (order by x), dense_rank() over (order by x), percent_rank() over (order by x), cume_dist() over (order by x), ntile(4) over (order by id), lag(x) over (order by id), lead(x) over (order by id), lag(x,2,99) over (order by id), lead(x,0) over (order by id), lag(x,-1) over (order by id), lead(x,null) over(order by id), first_value(x) over (order by id), last_value(x) over (order by id), nth_value(x,2) over (order by id) from w order by id;
select id, x, sum(x) over (order by x rows between 1 preceding and 1 following), sum(x) over (order by x range between 10 preceding and 10 following), sum(x) over (order by x groups between 1 preceding and 1 following), sum(x) over (order by x desc range between 10 preceding and current row), sum(x) over (order by x nulls first range between unbounded preceding and 5 following) from w order by id;
select id, f, array_agg(id) over (order by f range between 1 preceding and 1 following), array_agg(id) over (order by f desc range between 1 preceding and 1 following),array_agg(id) over (order by f range between 'infinity' preceding and 'infinity' following), array_agg(id) over (order by f range between 'infinity' following and 'infinity' following), array_agg(id) over (order by f range between 'infinity' preceding and 'infinity' preceding) from w order by f,id;
select id, n, array_agg(id) over (order by n range between 1 preceding and 1 following), array_agg(id) over (order by n desc range between 1 preceding and 1.1 following),array_agg(id) over (order by n range between 'infinity' preceding and 'infinity' following), array_agg(id) over (order by n range between 'infinity' following and 'infinity' following), array_agg(id) over (order by n range between 'infinity' preceding and 'infinity' preceding) from w order by n,id;
select id, d, array_agg(id) over (order by d range between '1 day' preceding and '1 month' following), array_agg(id) over (order by d desc range between '1 month' preceding and '10 days' following) from w order by d,id;
select id, ts, array_agg(id) over (order by ts range between '1 day' preceding and '1 month' following), array_agg(id) over (order by ts desc range between '1 month' preceding and '10 days' following) from w order by ts,id;
select id, tz, array_agg(id) over (order by tz range between '1 day' preceding and '1 month' following) from w order by tz,id;
select id, t, array_agg(id) over (order by t range between '1 hour' preceding and '1 hour' following), array_agg(id) over (order by t desc range between '1 hour' preceding and '10 hour' following) from w order by t,id;
select id, iv, array_agg(id) over (order by iv range between '1 hour' preceding and '1 day' following) from w order by iv,id;
select id, array_agg(id) over (order by id rows between 2 preceding and 2 following exclude current row), array_agg(id) over (order by id rows between 2 preceding and 2 following exclude group), array_agg(id) over (order by id rows between 2 preceding and 2 following exclude ties), array_agg(id) over (order by id rows between 2 preceding and 2 following exclude no others) from w order by id;
select id, array_agg(id) over (order by x range between 10 preceding and 10 following exclude current row), array_agg(id) over (order by x groups between 1 preceding and 1 following exclude group), array_agg(id) over (order by x range between current row and unbounded following exclude ties), first_value(id) over (order by x rows between unbounded preceding and unbounded following exclude group), last_value(id) over (order by x groups between unbounded preceding and unbounded following exclude ties), nth_value(id,2) over (order by x groups between unbounded preceding and unbounded following exclude current row) from w order by id;
select id, sum(id) over (rows between 2 following and 1 following), count(*) over (order by id rows between 1 following and 3 following), sum(id) over (order by id rows between 3 preceding and 1 preceding), count(*) over (order by id groups between 1 following and 3 following) from w order by id;
select sum(id) over (order by id rows between -1 preceding and 1 following) from w;
select sum(id) over (order by id rows between null preceding and 1 following) from w;
select sum(id) over (order by id range between -1 preceding and 1 following) from w;
select sum(id) over (order by id range between 1 preceding and null following) from w;
select sum(id) over (order by id groups between 1 preceding and -1 following) from w;
select sum(id) over (order by id groups between null preceding and 1 following) from w;
select sum(id) over (order by d range between '-1 day' preceding and '1 day' following) from w;
select sum(id) over (order by f range between 'nan' preceding and 1 following) from w;
select sum(id) over (order by n range between 'nan' preceding and 1 following) from w;
select sum(id) over (order by n range between -1 preceding and 1 following) from w;
select sum(id) over (order by g range between 1 preceding and 1 following) from w;
select sum(id) over (order by id, x range between 1 preceding and 1 following) from w;
select sum(id) over (range between 1 preceding and 1 following) from w;
select sum(id) over (groups between 1 preceding and 1 following) from w;
select sum(id) over (order by d range between 1 preceding and 1 following) from w;
select sum(id) over (order by id range between '1 day' preceding and 1 following) from w;
select sum(id) over (order by id range between 1.5 preceding and 1 following) from w;
select sum(id) over (order by id rows between 1.5 preceding and 1 following) from w;
select sum(id) over (order by id rows between 'x' preceding and 1 following) from w;
select sum(id) over (order by id rows between '1' preceding and 1 following) from w limit 1;
select sum(id) over (order by id rows between id preceding and 1 following) from w;
select sum(id) over (order by id rows between unbounded following and 1 following) from w;
select sum(id) over (order by id rows between 1 preceding and unbounded preceding) from w;
select sum(id) over (order by id rows between current row and 1 preceding) from w;
select sum(id) over (order by id rows between 1 following and 1 preceding) from w;
select sum(id) over (order by id rows 1 following) from w;
select sum(id) over (order by id rows unbounded following) from w;
select sum(id) over (order by id rows 1 preceding) from w order by 1;
select sum(id) over (order by id rows between 1 following and current row) from w;
select sum(id) over (order by id rows between (select 1) preceding and (select max(id) from w) following) from w order by 1;
select sum(id) over (order by id rows between sum(1) preceding and 1 following) from w;
select sum(id) over (order by id rows between 9223372036854775807 preceding and 9223372036854775807 following) from w;
select id, sum(id) over (order by id range between 9223372036854775807 preceding and 9223372036854775807 following) from w;
select id, sum(id) over (order by id::int2 range between 40000 preceding and 1 following) from w;
select ntile(0) over () from w;
select ntile(null) over () from w limit 1;
select nth_value(x,0) over () from w;
select nth_value(x,null) over () from w limit 1;
select id, nth_value(id, x/10) over (order by id) from w where id <> 5 order by id;
select id, ntile(3) over (partition by g order by id), ntile(2) over (order by id) from w order by id;
