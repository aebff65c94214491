-- timestamp input, precision and special values
select '2024-02-29 12:34:56.789'::timestamp, '2024-02-29T12:34:56Z'::timestamp, 'Thu Feb 29 12:00:00 2024'::timestamp, '20240229T123456'::timestamp;
select '2024-02-29 23:59:59.9999999'::timestamp, '2024-02-29 12:34:56.789'::timestamp(1), 'infinity'::timestamp, '-infinity'::timestamp, 'epoch'::timestamp;
select '2024-02-29 24:00:00'::timestamp, '2024-02-29 12:60'::timestamp;
select '294277-01-01'::timestamp;
select 'today tomorrow'::timestamp;
select ''::timestamp;
select '0001-01-01 00:00:00 BC'::timestamp, '4713-01-01 BC'::timestamp;
