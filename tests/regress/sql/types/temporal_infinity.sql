-- Infinity and extremes of temporal types
select 'infinity'::timestamp > now()::timestamp, 'infinity'::date = 'infinity'::timestamp, 'infinity'::timestamptz - interval '1 day', extract(epoch from 'infinity'::timestamp), extract(day from 'infinity'::timestamp);
select timestamp 'infinity' - timestamp 'infinity';
select timestamp '294276-12-31 23:59:59' + interval '1 year';
select date '4713-01-01 BC' - 365;
select to_timestamp('Infinity'), to_timestamp(1e300);
