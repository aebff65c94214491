-- name truncates at 63 bytes; "char" is one byte
select length(repeat('x', 100)::name), 'abc'::"char", ''::"char", 65::"char", 'a'::"char"::int;
select pg_typeof(relname), pg_typeof(relkind) from pg_class where oid = 1259;
create table a123456789012345678901234567890123456789012345678901234567890123456789 (x int);
