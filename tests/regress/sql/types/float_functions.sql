-- Trigonometric and other functions of float8
select sin(0), cos(0), tan(0), asin(1), acos(1), atan(1), atan2(1, 1), pi();
select sind(30), cosd(60), tand(45), degrees(pi()), radians(180);
select exp(1::float8), ln(2::float8), log(1000::float8), cbrt(27::float8), sinh(1), cosh(1), tanh(1);
select acos(2);
select sqrt(-1::float8);
select ln(-1::float8);
select trunc(-2.7::float8), ceil(2.1::float8), floor(2.9::float8), sign(-2::float8);
