-- Implicit casts in function arguments
select length(5);
select length('5'), upper(5::text), round('2.5'), abs('-3');
select substring(12345 from 2 for 2);
select date_trunc('day', '2024-01-01 10:00');
select concat(1, true, null, date '2024-01-01'), 'x' || 1.50;
select to_char(125, '999'), to_char('125', '999');
