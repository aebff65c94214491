-- || takes text with any non-array type; NULL wins
select 'a' || 1, 1 || 'a', 'a' || null, 'x' || true, 'd' || date '2020-01-01';
select 'a'::varchar(5) || 'b'::char(3) || 'c', pg_typeof('a'::varchar || 'b'::varchar);
select 1 || 2;
