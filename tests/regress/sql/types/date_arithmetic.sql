-- date arithmetic and its types
select date '2024-02-28' + 2, date '2024-03-01' - date '2024-02-01', date '2024-01-31' + interval '1 month', date '2024-01-01' - interval '1 day';
select pg_typeof(date '2024-01-01' + 1), pg_typeof(date '2024-01-01' + interval '1 day'), pg_typeof(date '2024-01-02' - date '2024-01-01'), pg_typeof(date '2024-01-01' + time '10:00');
select date '2024-01-01' + time '10:00', make_date(2024, 2, 29), isfinite(date 'infinity'), date 'infinity' - 5;
select make_date(2023, 2, 29);
select date '5874897-12-31' + 1;
select date 'infinity' - date '2024-01-01';
