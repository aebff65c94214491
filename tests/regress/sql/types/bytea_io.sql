-- bytea: hex and escape input and output
select '\xDEADbeef'::bytea, 'abc\000\\'::bytea, ''::bytea;
set bytea_output = 'escape';
select '\x00ff41'::bytea;
reset bytea_output;
select '\xabc'::bytea;
select '\xzz'::bytea;
select 'a\8'::bytea;
select length('\x0102'::bytea), '\x01'::bytea || '\x02'::bytea, substring('\x010203'::bytea from 2), position('\x02'::bytea in '\x0102'::bytea);
select encode('\x0102ff'::bytea, 'hex'), encode('abc'::bytea, 'base64'), decode('YWJj', 'base64'), encode('a\377'::bytea, 'escape');
select get_byte('\x0102'::bytea, 1), set_byte('\x0102'::bytea, 0, 255), get_bit('\x01'::bytea, 0), md5('\x01'::bytea), sha256('abc'), trim('\x00'::bytea from '\x000100'::bytea);
select get_byte('\x01'::bytea, 5);
select decode('zz', 'hex');
select '\x01'::bytea < '\x0100'::bytea, '\xff'::bytea > '\x01ff'::bytea;
