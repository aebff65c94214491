-- extract, date_trunc, date_bin, age and make_* of timestamps
select extract(year from t), extract(quarter from t), extract(week from t), extract(isodow from t), extract(dow from t), extract(doy from t), extract(epoch from t), extract(second from t), extract(milliseconds from t) from (values (timestamp '2024-02-29 12:34:56.789')) v(t);
select date_part('hour', timestamp '2024-02-29 12:34:56'), extract(century from date '2000-12-31'), extract(millennium from date '2001-01-01'), extract(decade from date '1999-01-01'), extract(julian from date '2024-01-01'), extract(isoyear from date '2024-12-30');
select extract(nonsense from date '2024-01-01');
select extract(hour from date '2024-01-01');
select date_trunc('hour', timestamp '2024-02-29 12:34:56'), date_trunc('week', timestamp '2024-02-29 12:34:56'), date_trunc('quarter', date '2024-02-29'), date_trunc('day', timestamptz '2024-02-29 12:34:56+00', 'Asia/Tokyo');
select date_bin('15 minutes', timestamp '2024-02-29 12:34:56', timestamp '2024-01-01'), age(timestamp '2024-03-01', timestamp '2023-01-15'), make_timestamp(2024, 2, 29, 1, 2, 3.5), make_interval(years => 1, days => 2, secs => 3.5);
select (date '2024-01-01', date '2024-02-01') overlaps (date '2024-01-15', date '2024-03-01'), to_timestamp(0), to_timestamp(1.5);
select date_trunc('nonsense', timestamp '2024-01-01');
