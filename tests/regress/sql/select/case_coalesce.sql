-- CASE, COALESCE, NULLIF, GREATEST, LEAST: laziness and types
select case 1 when 1 then 'one' else 'other' end, case when false then 1 end, case when null then 1 else 2 end, case 2 when null then 'x' else 'y' end;
select coalesce(null, 2), coalesce(null::int, 2.5), coalesce('a', 'b'), nullif(1, 1), nullif(1, 2), nullif('a', null), greatest(1, 3, null), least('b', 'a'), greatest(null, null);
select case when true then 1 else 1 / 0 end, coalesce(1, 1 / 0);
select pg_typeof(case when true then 1 else 2.0 end), pg_typeof(coalesce(null, 'x')), pg_typeof(nullif(1, 2.0)), pg_typeof(greatest(1, 2::int8));
select case when true then 1 else 'x' end;
select case when true then 1 else date '2024-01-01' end;
select coalesce(1, 'x'::text);
select case when 1 then 2 end;
