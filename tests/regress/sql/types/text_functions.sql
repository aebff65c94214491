-- String functions
select length('jose'), char_length('héé'), octet_length('héé'), bit_length('a'), upper('abc'), lower('ABC'), initcap('hello wORLD');
select substring('Thomas' from 2 for 3), substr('alphabet', 3), substr('alphabet', -1, 4), left('abcde', 2), left('abcde', -2), right('abcde', 2);
select position('om' in 'Thomas'), strpos('high', 'ig'), replace('abcabc', 'b', 'X'), translate('12345', '143', 'ax'), reverse('abc'), repeat('ab', 3);
select trim('  a '), ltrim('xxa', 'x'), rtrim('axx', 'x'), btrim('xyxax', 'xy'), trim(both 'x' from 'xax'), trim(leading from ' b');
select lpad('hi', 5, 'xy'), rpad('hi', 5), lpad('hello', 2), overlay('Txxxxas' placing 'hom' from 2 for 4);
select split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), concat('a', null, 1, true), concat_ws('-', 'a', null, 'b');
select ascii('x'), chr(65), md5('abc'), to_hex(255), starts_with('alphabet', 'alph'), 'alphabet' ^@ 'alp';
select substring('abc' from 1 for -1);
select chr(0);
select split_part('a', ',', 0);
