-- interval arithmetic, comparison and justify
select interval '1 month' = interval '30 days', interval '1 day' = interval '24 hours', interval '1 month' < interval '31 days';
select interval '1 day' * 1.5, interval '1 month' / 2, interval '1 day' + interval '2 hours', -interval '1 day', interval '10 hours' - interval '1 day';
select justify_days(interval '35 days'), justify_hours(interval '27 hours'), justify_interval(interval '1 mon -1 hour');
select extract(epoch from interval '1 month 1 day'), extract(days from interval '1 month 40 days'), date_trunc('hour', interval '1 day 2:34:56');
select sum(x), avg(x), min(x), max(x) from (values (interval '1 day'), (interval '2 hours')) v(x);
select interval '1 day' / 0;
