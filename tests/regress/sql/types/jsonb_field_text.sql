-- ->> gives the text of a scalar, NULL for null or a missing key, and PostgreSQL's spelling of objects and arrays.
create temp table h1 (id int primary key, j jsonb);
insert into h1 values
 (1, '{"a":"x\"y\\z\n\u0001é","b":1.10,"c":true,"d":null,"e":[1, 2],"f":{"k":"v"},"é":"u","q\"":"quote","":"empty","g":12345678901234567890.50,"n":-0.0}'),
 (2, '["a"]'), (3, '"a"'), (4, '{}'), (5, '{"a":{"a":1}}'), (6, null), (7, '{"a":""}'), (8, '{"a":"\u00e9\ud83d\ude00"}'),
 (9, '{"a":false,"b":1e3,"c":1E-7,"d":0.10,"e":[],"f":{}}'), (10, (select jsonb_build_object('a', repeat('x', 3000))));
select id, j->>'a' a, j->>'b' b, j->>'c' c, j->>'d' d, j->>'e' e, j->>'f' f, j->>'é' g, j->>'q"' h, j->>'' i, j->>'g' l, j->>'n' n, j->>'zz' z, j->>null x from h1 order by id;
select id from h1 where j->>'a'='' or j->>'b'='1.10' order by id;
select id from h1 where j @> '{"b":1.1}' order by id;
select id from h1 where j @> '{"a":{}}' order by id;
select id, length(j->>'a') from h1 where id = 10;
select id from h1 where j->>'e' is null order by id;
select count(*) from h1 where (j ->> 'c') = 'true';
select j->>'a', count(*) from h1 group by j->>'a' order by 1 nulls first limit 4;
select (repeat('[', 300) || repeat(']', 300))::jsonb->>'a' is null, ('{"a":"k","b":' || repeat('[', 300) || repeat(']', 300) || '}')::jsonb->>'a';
insert into h1 values (11, ('{"a":"k","b":' || repeat('[', 300) || repeat(']', 300) || '}')::jsonb);
select j->>'a' from h1 where id = 11;
