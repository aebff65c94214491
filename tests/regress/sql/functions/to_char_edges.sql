-- to_char where C's arithmetic shows: negative intervals, pictures longer than the number; conflicts in to_timestamp
select to_char(interval '-1 day -02:03', 'DD HH24 MI'), to_char(interval '-12 days', 'DD DDD'), to_char(interval '11 mons -10 days', 'W WW');
select to_char(interval '-11 mons', 'Q'), to_char(interval '11 mons 1 day', 'IYYY IDDD IW'), to_char(interval '-10 mons', 'IYY I');
select to_char(interval '-1 hour', 'AM HH12'), to_char(interval '36 hours', 'AM'), to_char(interval '-13 hours', 'PM HH24');
select to_char(interval '1 day', 'ID');
select to_char(timestamptz '1800-01-01 00:00+00' at time zone 'Europe/Berlin', 'YYYY'), to_char('1800-01-01 12:00'::timestamptz, 'OF');
select to_char('-223.64292'::numeric, '9090.SG') as a, to_char('696'::numeric, '09909.S') as b, to_char('7'::float8, 'FM99099DS') as c;
select to_char('25052582397918'::float8, '999999.990"y"'), to_char(12.34, '99.'), to_char(12, '99D" x"');
select to_timestamp('06/08/10/19', 'MI/IW/HH12/CC') is not null;
select to_timestamp('Apr/am/118', 'Mon/pm/IDDD');
select to_timestamp('Thursday Thu', 'Day DY');
select to_timestamp('1985 January Jan', 'IYYY Month Mon');
select power('-62809'::numeric, -447), power('561.01'::numeric, -452), power(10::numeric, -1001);
