-- upper, lower, LIKE and ILIKE over columns, ASCII or not, with patterns that are computed.
create temp table h1 (id int primary key, t text);
insert into h1 values (1, 'Straße'), (2, 'HELLO'), (3, 'ÀÉ'), (4, 'a%b_c\d'), (5, ''), (6, null), (7, 'İıK'), (8, 'x'), (9, '[a]*?'), (10, 'K');
select id, upper(t), lower(t), upper(t) like upper('%e%') x, t like '%'||'a'||'%' y, t ilike '%SS%' z, t ilike 'k' k, t ilike 'i%' from h1 order by id;
select id from h1 where t like upper('h%') order by id;
select id from h1 where t like 'a\%b\_c\\d' order by id;
select id from h1 where t like concat('a','\') order by id;
select id from h1 where t ilike '%é%' order by id;
select id from h1 where t ilike 'A\%B%' order by id;
select id from h1 where t ilike '%[*?]%';
select id from h1 where t not ilike '%l%' order by id;
select id from h1 where t ilike lower(null);
select id from h1 where t ilike 'x\';
select id from h1 where t like lower('X')||'\';
select id from h1 where id=8 and t like lower('Y')||'\';
select id from h1 where upper(t::varchar(20)) like upper('%h%') order by id;
select id from h1 where t like lower('%[A]%') order by id;
select id from h1 where t like null || 'x';
select id from h1 where not (t like lower('X')) order by id;
