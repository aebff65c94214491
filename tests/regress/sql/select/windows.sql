-- Window functions
create table w (d text, n text, s int);
insert into w values ('x', 'a', 10), ('x', 'b', 20), ('x', 'c', 20), ('y', 'd', 5), ('y', 'e', null);
select n, row_number() over (order by s, n), rank() over (order by s), dense_rank() over (order by s), percent_rank() over (order by s), cume_dist() over (order by s), ntile(2) over (order by s, n) from w order by s, n;
select d, n, sum(s) over (partition by d), avg(s) over (partition by d), count(*) over () from w order by d, n;
select n, lag(s) over o, lead(s, 1, -1) over o, first_value(n) over o, last_value(n) over o, nth_value(n, 2) over o from w window o as (partition by d order by s, n) order by n;
select n, sum(s) over (order by n rows between 1 preceding and 1 following), sum(s) over (order by n rows unbounded preceding), array_agg(n) over (order by n rows between current row and unbounded following) from w order by n;
select n, s, sum(s) over (order by s range between 5 preceding and current row), count(*) over (order by s groups between 1 preceding and current row) from w where s is not null order by s, n;
select n, sum(s) over (order by n rows between unbounded preceding and unbounded following exclude current row) from w order by n;
select d, sum(sum(s)) over (order by d) from w group by d order by d;
select n, sum(s) filter (where s > 5) over (order by n) from w order by n;
select row_number() from w;
select * from w where row_number() over () = 1;
select sum(s) over nope from w;
select rank() over (order by s rows between 1 following and 1 preceding) from w;
select ntile(0) over () from w;
select sum(row_number() over ()) over () from w;
select sum(s) over (w rows unbounded preceding) from w window w as (order by n) order by 1;
