-- date_trunc and AT TIME ZONE over columns: units, infinities, BC and years beyond 9999.
create temp table h1 (id int primary key, ts timestamp, tz timestamptz);
set timezone = 'UTC';
insert into h1 values (1, '2024-05-17 12:34:56.789', '2024-05-17 12:34:56.789+00'), (2, '1999-12-31 23:59:59.999999', '1999-12-31 23:59:59.5+00'),
 (3, 'infinity', '-infinity'), (4, '0044-03-15 BC', '0001-01-01 00:00:00+00 BC'), (5, '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59+00'),
 (6, null, null), (7, '12000-07-04 05:06:07', '12000-07-04 05:06:07+00'), (8, '0001-01-01', '2024-02-29 00:00:00+00'), (9, '1969-07-20 20:17:40', '1900-03-01 00:00:00+00');
select id, date_trunc('month',ts) m, date_trunc('year',ts) y, date_trunc('day',ts) d, date_trunc('hour',ts) h, date_trunc('minute',ts) mi, date_trunc('second',ts) s, date_trunc('week',ts) w, date_trunc('quarter',ts) q from h1 order by id;
select id, date_trunc('Month',tz at time zone 'UTC') m, date_trunc('year',tz at time zone 'utc') y, date_trunc('day',tz at time zone 'GMT') d, tz at time zone 'Z' z, date_trunc('day',tz at time zone 'Europe/Berlin') b, ts at time zone 'UTC' c, tz at time zone 'EST' e from h1 order by id;
select date_trunc('month', tz at time zone 'UTC') m, count(*) from h1 group by date_trunc('month', tz at time zone 'UTC') order by 1;
select date_trunc('year', ts), count(*) from h1 group by 1 order by 1;
select date_trunc('bogus', ts) from h1;
select date_trunc(id::text, ts) from h1 where id = 8;
select ts at time zone 'nowhere' from h1;
select date_trunc('day', tz at time zone 'UTC'), date_trunc('hour', tz at time zone 'Asia/Tokyo') from h1 where id in (1, 9);
select date_trunc('MONTH', ts) = date_trunc('month', ts) from h1 where id < 3;
