-- Operator precedence and boolean expressions
select 2 + 3 * 4, (2 + 3) * 4, -2 ^ 2, 2 ^ 3 ^ 2, 10 - 5 - 2, 7 / 2 * 2, not true or true, not (true or true), 1 < 2 and 2 < 3, 1 + 1 || '1', - 3 % 2;
select 1 = 1 is true, 1 is null, null is null, 1 in (1, 2) = true, 'a' < 'b' collate "C";
select 5 between 1 and 10 and true, 2 between 3 and 1, 2 between symmetric 3 and 1;
select @ -5, !! 'a'::tsquery;
select 1 !! 2;
select + 'a';
select 1 +;
select 'a' + 'b';
select 1 = 'x';
select 1 = '1'::text;
select true + 1;
select @@ 5;
