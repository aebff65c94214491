-- Set-returning functions in FROM and in the select list
select * from generate_series(1, 3);
select * from generate_series(3, 1, -1) as g(n);
select * from generate_series(1, 2, 0);
select * from generate_series('2024-01-01'::date, '2024-01-03', '1 day') as d;
select * from generate_series(1.0, 2.0, 0.5);
select generate_series(1, 3), generate_series(10, 11);
select g, generate_series(1, g) from generate_series(1, 2) g order by 1, 2;
select * from generate_series(1, 2) with ordinality as t(v, n);
select * from rows from (generate_series(1, 3), unnest(array['a', 'b'])) as t(a, b);
select unnest('{1,2}'::int[]) + 1;
select upper(unnest(array['a', 'b']));
select * from generate_series(1, 2) a, generate_series(a, 2) b order by 1, 2;
select generate_subscripts(array[5,6,7], 1), unnest(array[5,6,7]);
select count(*) from generate_series(1, 0);
select 1 where generate_series(1, 2) = 1;
select * from (select generate_series(1, 5) as g) s where g % 2 = 0;
select case when true then generate_series(1, 2) end;
select generate_series(1, 3) as g order by g desc limit 2;
