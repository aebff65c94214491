-- time and timetz
select '04:05:06.789'::time, '040506'::time, '04:05 PM'::time, '24:00:00'::time, '04:05:06.123456789'::time(2), 'allballs'::time;
select '25:00'::time;
select '04:05:61'::time;
select '04:05:06+02'::timetz, '04:05:06 PST'::timetz, '04:05:06-08:30'::timetz;
select time '10:00' + interval '15 hours', time '10:00' - time '12:30', time '23:59:59.999999'::time(0);
select timetz '10:00+02' = timetz '08:00+00', timetz '10:00+02' < timetz '08:00+00', timetz '10:00+02' at time zone 'UTC';
select make_time(8, 15, 23.5), extract(epoch from time '01:00'), extract(timezone from timetz '10:00+02');
