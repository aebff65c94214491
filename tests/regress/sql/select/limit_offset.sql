-- LIMIT, OFFSET and FETCH
select g from generate_series(1, 5) g order by g limit 2;
select g from generate_series(1, 5) g order by g limit 2 offset 3;
select g from generate_series(1, 5) g order by g offset 3 rows fetch next 1 row only;
select g from generate_series(1, 5) g order by g limit all offset null;
select g from generate_series(1, 5) g order by g limit 0;
select g / 2 as h from generate_series(1, 5) g order by h fetch first 2 rows with ties;
select g from generate_series(1, 5) g limit -1;
select g from generate_series(1, 5) g offset -1;
select g from generate_series(1, 5) g limit 'x';
select g from generate_series(1, 5) g order by g limit (select 2);
select g from generate_series(1, 3) g limit g;
select 1 fetch first 1 rows with ties;
