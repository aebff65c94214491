-- LIKE, ILIKE, SIMILAR TO and their escapes
select 'abc' like 'a%', 'abc' like '_b_', 'abc' like 'A%', 'abc' ilike 'A%', 'a%c' like 'a\%c', 'abc' not like 'b%';
select 'a_c' like 'a#_c' escape '#', 'abc' ~~ 'a%', 'abc' !~~* 'A%', 'a\c' like 'a\c' escape '';
select 'abc' similar to '(a|b)%', 'abc' similar to 'a', 'abc' similar to 'a[b-d]c', 'aab' similar to 'a{2}b';
select 'x' like 'x\';
select 'abc' like 'a' escape 'xx';
