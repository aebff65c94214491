-- to_char of numbers by template
select to_char(1234.5, '9,999.99'), to_char(-12, 'S999'), to_char(12, '000'), to_char(0.5, 'FM990.00');
select to_char(1234567, 'FM9,999,999'), to_char(485, 'RN'), to_char(12.34, '99V99'), to_char(-5, '9PR'), to_char(5, '9th');
select to_number('1,234.56', '9G999D99'), to_number('-12', 'S99');
