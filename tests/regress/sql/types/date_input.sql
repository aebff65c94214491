-- date input forms and errors
select '2024-02-29'::date, '20240229'::date, 'Feb 29, 2024'::date, '29 February 2024'::date, '2024.060'::date, 'J2460000'::date;
select 'infinity'::date, '-infinity'::date, 'epoch'::date, '0044-03-15 BC'::date, '1/8/1999'::date;
select '2023-02-29'::date;
select '2024-13-01'::date;
select 'gibberish'::date;
select '5874898-01-01'::date;
set datestyle = 'German';
select '2024-02-29'::date;
set datestyle = 'SQL, DMY';
select '1/8/1999'::date, '2024-02-29'::date;
