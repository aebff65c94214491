-- Integer arithmetic is checked for overflow and truncates division toward zero
select 7 / 2, -7 / 2, 7 % 3, -7 % 3, 7 % -3;
select 2147483647 + 1;
select (-2147483648)::int4 - 1;
select 9223372036854775807 + 1;
select 65536 * 65536;
select 1 / 0;
select 5 % 0;
select (-2147483648)::int4 / -1;
select (-2147483648)::int4 % -1;
select - (-2147483648)::int4;
select abs((-32768)::int2);
select 32767::int2 + 1::int2;
