-- interval input and its four output styles
select interval '1 year 2 mons 3 days 04:05:06.789', interval 'P1Y2M3DT4H5M6S', interval '1-2 3 4:05:06', interval '-1 day +02:03', interval '1.5 days', interval '2 weeks', interval '1 day ago';
select interval '1' year, interval '1:30' hour to minute, interval '10' second(2), interval '1 2' day to hour, interval(2) '1.23456 seconds';
set intervalstyle = 'sql_standard';
select interval '1 year 2 mons', interval '3 days 04:05:06', interval '1 year -2 days';
set intervalstyle = 'iso_8601';
select interval '1 year 2 mons 3 days 04:05:06.7', interval '-1 day', interval '0';
set intervalstyle = 'postgres_verbose';
select interval '1 year 2 mons 3 days 04:05:06.7', interval '-1 day', interval '0';
reset intervalstyle;
select interval 'nonsense';
select interval '999999999 years';
