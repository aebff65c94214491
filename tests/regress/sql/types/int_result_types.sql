-- Literals are int4, int8 or numeric by size, and mixed arithmetic takes the wider type
select pg_typeof(1), pg_typeof(2147483648), pg_typeof(9223372036854775808), pg_typeof(1.0), pg_typeof(1e3);
select pg_typeof(1::int2 + 1), pg_typeof(1 + 1::int8), pg_typeof(1 + 1.0), pg_typeof(1 + 1.0::float8), pg_typeof(1::float4 + 1);
select pg_typeof(sum(x)), pg_typeof(avg(x)), pg_typeof(count(x)) from (values (1)) v(x);
