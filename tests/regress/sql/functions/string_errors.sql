-- Errors of string functions
select repeat('x', -1), left('abc', 0), lpad('x', -5), substr('abc', 0), substr('abc', -2, 2);
select repeat('x', 2000000000);
select convert_from('\xff'::bytea, 'UTF8');
select convert_to('é', 'LATIN1'), convert_from('\xe9'::bytea, 'LATIN1');
select to_number('abc', '999');
select decode('a', 'base64');
select encode('a', 'nope');
select regexp_replace('a', 'b', 'c', 'z');
select string_to_array(null, ','), array_to_string('{}'::int[], ','), string_to_array('abc', null);
select unistr('\0041'), normalize('é', NFD) = 'é', 'é' is normalized;
