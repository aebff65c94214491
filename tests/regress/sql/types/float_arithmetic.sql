-- float8 arithmetic: overflow and division by zero are errors, NaN equals itself
select 1e308::float8 * 10;
select 1::float8 / 0;
select 'NaN'::float8 = 'NaN'::float8, 'NaN'::float8 > 'inf'::float8;
select 0.1::float8 + 0.2::float8, 1::float8 / 3, |/ 2::float8, ||/ 27::float8, 2::float8 ^ 0.5;
select round(2.5::float8), round(3.5::float8), round(-2.5::float8), 2.5::float8::int, 3.5::float8::int;
select 1e20::float8::int8;
select x from (values ('NaN'::float8), (1), ('-inf'), ('inf'), (null)) v(x) order by x desc;
