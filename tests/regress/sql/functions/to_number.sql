-- to_number consumes a character for each part of the picture; to_char of what is no number
select to_char(interval '-1 day','DD'), to_char(interval '-1 day','FMDD'), to_char(interval '-10 day','DD'), to_char(interval '-1 mon','MM'), to_char(interval '-1 year','YYYY YYY YY Y'), to_char(interval '-5 sec','SS'), to_char(interval '-0.5 sec','SS.MS US'), to_char(interval '-1 hour','HH12 HH24'),  to_char(interval '3 days','DDD DD D');
select to_char('nan'::float8,'FM999'), to_char('nan'::numeric,'RN');
select to_char(1e40::numeric,'RN');
select to_char(1e10::float8,'RN');
select to_number('5 4 4 4 4 8 . 7 8','9 9 9 9 9 9 . 9 9'), to_number(' . 0 1-',' 9 9 . 9 9 S'), to_number('  12','99'), to_number('  12','9999'), to_number(' 1 2 3','9 9 9'), to_number('1 2 3','999'), to_number('1 2 3','99999');
select to_number('125','V999'), to_number('12.5','99V9'), to_number('125','99V9'), to_number('-12345','99V999'), to_number('12','9.9V9');
select to_number('md5','FM999.99');
select to_number('a1b2c3','999');
select to_number('x12','99');
select to_number('12x34','99999');
select to_number('12x34','99"x"99'), to_number('12 34','99"x"99'), to_number('1,2,3','9,9,9'), to_number('1x2','9X9'), to_number('1.2.3','9.9.9') ;
select to_number('$12','$99'), to_number('12.','99.'), to_number('.','.'), to_number('-','S99');
select to_number('1 234','9G999'), to_number('- 12','S99'), to_number('-  12','S9999'), to_number('+ 5','SG9'), to_number('<5>','9PR'), to_number('< 5>','99PR'), to_number('5>','9PR');
