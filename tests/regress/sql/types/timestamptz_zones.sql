-- timestamptz: input with zones, output in the session's TimeZone, DST
set timezone = 'Europe/Berlin';
select '2024-01-15 12:00'::timestamptz, '2024-07-15 12:00'::timestamptz, '2024-07-15 12:00 America/New_York'::timestamptz, '2024-07-15 12:00+05:30'::timestamptz;
select '2024-03-31 02:30'::timestamptz, '2024-10-27 02:30'::timestamptz;
select timestamptz '2024-07-15 12:00+00' at time zone 'Asia/Tokyo', timestamp '2024-07-15 12:00' at time zone 'Asia/Tokyo', timezone('UTC', timestamptz '2024-07-15 12:00+02');
select timestamptz '2024-03-30 12:00' + interval '1 day', timestamptz '2024-03-30 12:00' + interval '24 hours';
select '2024-07-15 12:00 Nowhere/Land'::timestamptz;
set timezone = 'UTC-3';
select '2024-07-15 12:00+00'::timestamptz;
set timezone = '<+05:45>-05:45';
select '2024-07-15 12:00+00'::timestamptz;
set timezone = 'Not/AZone';
