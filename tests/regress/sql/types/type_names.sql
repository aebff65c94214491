-- pg_typeof and format_type spell types as PostgreSQL does
select format_type(1043, 14), format_type(1700, 655366), format_type(1184, 3), format_type(1042, -1), format_type(1015, -1), format_type(1186, 327679), format_type(16, null), format_type(99999, null);
select pg_typeof('x'), pg_typeof(null), pg_typeof(array[1]), pg_typeof(row(1)), pg_typeof(current_date), pg_typeof(now()), pg_typeof('a'::char(2)), pg_typeof(1::"char"), pg_typeof(current_user);
