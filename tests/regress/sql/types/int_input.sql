-- Integer input: range and syntax errors name the type
select '42'::int2, ' -7 '::int4, '+9'::int8;
select '32768'::int2;
select '2147483648'::int4;
select '9223372036854775808'::int8;
select '1.5'::int4;
select ''::int4;
select '12abc'::int8;
select '-32768'::int2, '-2147483648'::int4, '-9223372036854775808'::int8;
