-- to_char and to_timestamp templates
select to_char(t, 'YYYY-MM-DD HH24:MI:SS.MS US'), to_char(t, 'Day, DD Month YYYY'), to_char(t, 'FMDay, FMDD FMMonth'), to_char(t, 'Dy Mon D DDD WW IW Q CC J'), to_char(t, 'HH12:MI am'), to_char(t, 'DDth "text" YY') from (values (timestamp '2024-02-29 15:04:05.678')) v(t);
select to_date('05 Dec 2000', 'DD Mon YYYY'), to_timestamp('2024-02-29 12:34', 'YYYY-MM-DD HH24:MI'), to_date('2024-060', 'YYYY-DDD');
select to_date('2024-13-01', 'YYYY-MM-DD');
select to_timestamp('abc', 'YYYY');
select to_char(interval '15h 2m 12s', 'HH24:MI:SS');
