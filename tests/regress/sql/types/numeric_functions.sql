-- Numeric functions and the scale of their results
select round(2.5), round(-2.5), round(2.345, 2), round(1234.5, -2), trunc(2.789, 1), trunc(-2.7);
select ceil(1.2), floor(-1.2), sign(-3.0), abs(-1.50), mod(7.5, 2), div(7.5, 2);
select sqrt(2.0), exp(1.0), ln(10.0), log(100.0), log(2.0, 8.0), power(2.0, 10), power(2.0, 0.5);
select scale(1.2300), min_scale(1.2300), trim_scale(1.2300), factorial(20);
select sqrt(-1.0);
select ln(0.0);
select width_bucket(5.35, 0.024, 10.06, 5), width_bucket(-1, 0, 10, 5);
select 2.0 ^ 3, 0.0 ^ -1;
