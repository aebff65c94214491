-- POSIX regular expressions
select 'thomas' ~ 't.*ma', 'thomas' ~* 'T.*MA', 'thomas' !~ 'z', 'abc' !~* 'B';
select regexp_replace('foobarbaz', 'b..', 'X'), regexp_replace('foobarbaz', 'b..', 'X', 'g'), regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g');
select regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g');
select regexp_split_to_array('the quick  fox', '\s+'), regexp_count('abcabc', 'b'), regexp_instr('abcabc', 'c', 1, 2), regexp_like('abc', 'B', 'i'), regexp_substr('abcd', 'b.');
select * from regexp_split_to_table('a,b,c', ',') with ordinality;
select 'a' ~ '(';
select 'a' ~ '[z-a]';
select substring('foobar' from 'o(.)b'), substring('foobar' similar '%#"o_b#"%' escape '#');
