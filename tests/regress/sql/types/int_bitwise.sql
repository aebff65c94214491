-- Bitwise operators and shifts of integers
select 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 256 >> 2, 1 << 33, 1::int8 << 40;
select 5::int2 & 3::int2, ~5::int8;
select gcd(12, 18), lcm(4, 6), gcd(0, 0);
