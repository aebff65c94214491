select 1, 1.5, 99999999999, 99999999999999999999, -3, 'x', b'101', x'1f', null, true
select 1 + 1, 1 + 1.5, 2::int2 + 1, 1 + '2', '3' + 4, 1.5 * 2::float8, 5 / 2, 5 % 3, -(2::int8)
select 'a' || 'b', 'a' || 1, 1 || 'a', array[1] || 2, 1 || array[2], array[1] || array[2], '{1}'::int[] || '{2}'
select 'a' + 'b'
select 1 = 'x'
select 1 = 'a'::text
select true + 1
select '1' < '2', 1 < 2.5, 'a'::varchar = 'b', 'a'::char(3) = 'a'::text
select now() - '1 day', now() + interval '1 day', current_date - 1, current_date - current_date, date '2020-01-01' + time '10:00'
select upper('a'), upper('a'::varchar), length('a'), abs(-1), abs(-1.5), abs('1'), round(1.5, 1), round(2.5::float8)
select sqrt(2), power(2, 3), mod(5, 3), trunc(1.234, 2), floor(1.5), ceil(2)
select no_such_function(1, 'a', null)
select upper(1)
select substring('abc' from 1 for 2), substring('abc', 2), position('b' in 'abc'), overlay('abc' placing 'x' from 2), trim(both 'a' from 'aba')
select coalesce(1, 2.5), coalesce(null, 'a'), coalesce(1, 'x'), greatest(1, 2.5), least('a', 'b')
select coalesce(1, true)
select case when true then 1 else 2.5 end, case 1 when 2 then 'a' end, case when 1 then 2 end
select case 'a' when 'b' then 1 else 2 end
select case when true then 1 else 'a'::text end
select array[1, 2.5], array['a', 'b'], array[[1, 2], [3, 4]], array[]::int[], array[null]
select array[]
select array[1, true]
select array[1, 'x']
select '{1,2}'::int[], array['1', '2']::int[], array[1, 2]::text[], '{a}'::varchar(3)[]
select (array[1, 2])[1], ('{1,2}'::int[])[1:2], ('{"a": 1}'::jsonb)['a'], (array[[1]])[1]
select (1)[1]
select (array[1])['x'::text]
select 1 in (1, 2), 'a' in ('b', 'c'), 1 in (1, 2.5), 1 in ('1', '2')
select 1 in (1, 'x')
select 1 in ('a'::text, 'b')
select 1 between 0 and 2, 'a' between symmetric 'b' and 'c', 1 not between 2 and 3
select 1 = any(array[1, 2]), 1 = any('{1,2}'), 'a' = all(array['a']), 1 = any(array[1.5])
select 1 = any(1)
select 1 + any(array[1])
select null is null, 1 is not null, true is true, 'x' is true
select 1 is distinct from 2, null is distinct from 1, 1 is not distinct from null, 1 is distinct from 'x'
select nullif(1, 2), nullif('a', 'b'), nullif(1, 2.5), nullif(1, 'x')
select (1, 2) = (1, 2), (1, 2) < (2, 3), row(1, 'a') <> row(2, 'b'), (1, 2) is null
select (1, 2) = (1, 2, 3)
select row() = row()
select (1, 2) @> (1, 2)
select (1, 2) in ((1, 2), (3, 4)), (1, 'a') is distinct from (1, 'b')
select 'a' like 'b', 'a' ilike 'b', 'a' not like 'b' escape 'x', 'a' similar to 'b', 'a' ~ 'b', 1 like 2
select not true, true and 'f', 'x' or true
select not 1
select 1 and 2
select 'abc'::varchar(2), 'abc'::char(2), 'abc'::char, 1.5::numeric(10, 2), 1::numeric, '1.5'::numeric(3,1), 1::bit(3), 'a'::name
select 1::text, 1::bool, '1'::int, 'x'::bytea, 1.5::int, true::int, true::text, 'a'::"char", 1::money
select 1::date
select 'x'::int
select 'abc'::no_such_type
select 1::int(3)
select cast(1 as no_schema.int4)
select '2020-01-01'::date, timestamp '2020-01-01 10:00', timestamptz '2020-01-01 10:00+02', interval '1 day', interval '1' year, time '10:00', interval(3) '1.5 sec'
select date '2020-13-01'
select timestamp(3) '2020-01-01', current_timestamp, current_timestamp(3), localtime, localtimestamp(2), current_date, current_user, session_user, current_schema
select int4(1.5), text(1), float8('1'), varchar('a'), "char"('a'), numeric('1')
select pg_typeof(1), format('%s', 1), format('%s', variadic array[1, 2]), concat('a', 1, null), concat_ws(',', 'a', 'b')
select format('%s', variadic 1)
select greatest(1, 'x'::text)
select make_interval(days => 10), make_interval(1, days => 2), make_interval(days => 1, days => 2)
select make_interval(days => 10, 1)
select make_interval(nodays => 10)
select jsonb_build_object('a', 1), jsonb_set('{}', '{a}', '1'), jsonb_set('{}'::jsonb, '{a}', '1', false), to_json(1), to_jsonb('a'::text), '{"a":1}'::json -> 'a', '{"a":1}'::jsonb ->> 'a', '[1]'::jsonb -> 0
select to_json('a')
select '{"a":1}'::jsonb @> '{"a":1}', '{"a":1}'::jsonb ? 'a', '{"a":1}' -> 'a'
select count(*), count(1), sum(1), sum(1.5), sum(1::int8), avg(1), min('a'), max(1), array_agg(1), string_agg('a', ',') 
select count()
select count(*) filter (where true), count(distinct 1), array_agg(1 order by 1 desc), string_agg(distinct 'a', ',' order by 'a')
select upper(*)
select upper(distinct 'a')
select upper('a') over ()
select upper('a') filter (where true)
select sum(count(*))
select 1 where count(*) > 1
select sum(1) over (partition by 1 order by 2), row_number() over (), rank() over w, lag(1) over (), first_value('a'::text) over () from (select 1) s window w as (order by 1)
select row_number()
select rank() over nope
select 1 where row_number() over () > 1
select sum(row_number() over ())
select row_number() over (order by row_number() over ())
select count(distinct 1) over ()
select percentile_cont(0.5) within group (order by 1.5), percentile_disc(0.5) within group (order by 'a'::text), mode() within group (order by 1), rank(1) within group (order by 2)
select percentile_cont(0.5)
select sum(1) within group (order by 1)
select mode(1) within group (order by 1)
select rank(1, 2) within group (order by 2)
select oid from pg_class group by oid
select oid, relname from pg_class group by oid
select relname, count(*) from pg_class
select relname, oid from pg_class group by relname
select relname, (select max(c.oid)) from pg_class c group by relname
select (select c.oid) from pg_class c group by relname
select grouping(relname) from pg_class group by rollup (relname)
select grouping(oid) from pg_class group by relname
select c.relname || 'x' from pg_class c group by c.relname
select lower(relname) from pg_class group by lower(relname)
select relname from pg_class group by lower(relname)
select relname from pg_class having count(*) > 1
select oid from pg_class where sum(1) > 1
select count(*) from pg_class group by count(*)
select exists(select 1), (select 1), array(select 1), array(select 'a'), 1 in (select 1), 1 = any(select 2), 1 > all(select 1.5), (1, 2) in (select 1, 2), (1, 2) = (select 1, 2)
select (select 1, 2)
select 1 in (select 1, 2)
select (1, 2) in (select 1)
select 'a' in (select 1)
select 1 = any(select 'a'::text)
select array(select 1, 2)
select relname, pg_class.relname, pg_catalog.pg_class.relname, pg_class from pg_class
select nocol from pg_class
select pg_class.nocol from pg_class
select nope.relname from pg_class
select c.relname from pg_class
select pg_class.relname from pg_class c
select oid from pg_class, pg_type
select relnam from pg_class
select (c).relname, c.oid, (c.*).relkind, relname(c) from pg_class c
select (c).nope from pg_class c
select c.nope() from pg_class c
select (1).x
select (row(1, 2)).f1
select (row(1, 2)).f3
select (pg_identify_object(1, 1, 1)).type, (pg_identify_object(1, 1, 1)).*
select generate_series(1, 2), generate_series(1, 2) + 1, unnest(array['a']), generate_series(now(), now(), '1 day')
select 1 where generate_series(1, 2) > 1
select case when true then generate_series(1, 2) end
select coalesce(generate_series(1, 2), 1)
select sum(generate_series(1, 2))
select 1 limit generate_series(1, 2)
select 'a' collate "C", 'a' collate "C" < 'b', 'a' collate "C" || 'b' collate "POSIX"
select 1 collate "C"
select 'a' collate nope
select relname < 'a' collate "C" || 'b' collate "POSIX" from pg_class
select $1 + 1, $2::text, upper($3), $1
select $1
select $1 = $2
select coalesce($1, 1), $2 || 'a', $3 in (1, 2), array[$4, 1.5], case when $5 then 1 end
select $1::int, $1 || 'a'
select $2::int
select $1 is null
select lower($1), $1::varchar
select date_trunc('day', '2020-01-01'), date_trunc('day', now()), extract(year from now()), extract(epoch from '1 day'::interval), date_part('year', current_date), now() at time zone 'UTC', age(now())
select extract(year from '2020-01-01')
select int4range(1, 2), int4range(1, 2) @> 1, '[1,2]'::int4range * '[1,3]', numrange(1, 2.5), upper(int4range(1, 2)), int4multirange(int4range(1, 2))
select array_append(array[1], 2), array_append(array[1], 2.5), array_append('{1}', 2), array_cat(array[1], array['a'])
select array_append(array[1], 'a'), array_position(array['a'], 'b'), array_length(array[1], 1), array_to_string(array[1], ','), unnest('{1}')
select array_length('a', 1)
select enum_first(null)
select anyelement(1)
select nextval('x')
select 'pg_class'::regclass, 'int4'::regtype, 1259::regclass, 'pg_class'::regclass::oid
select 'nope'::regclass
select xmlelement(name foo, 1), xmlconcat('<a/>', '<b/>'), xmlforest(1 as a), '<a/>'::xml is document, xmlserialize(content '<a/>'::xml as text), xmlparse(document '<a/>')
select point(1, 2), point '(1,2)' <-> point '(3,4)', box '((1,1),(0,0))' @> point '(0,0)', '(1,2)'::point
select inet '1.2.3.4', '1.2.3.4'::inet + 1, host('1.2.3.4'), inet '1.2.3.4' << '1.2.0.0/16'
select 1::int8 = 1::int2, 1::float4 + 1::float8, 1::int8 + 1::numeric, 1::real * 2, 1::float4 + 1, 1::int2 + 1::int2, 2 ^ 3, 2 ^ 3.0, @ -1, |/ 4, 5 !! 2
select ! 1
select 1 operator(pg_catalog.+) 2, 1 operator(nope.+) 2
select 1 <-> 2
select 1 &&& 2
select - 'a'
select ~ '1'
select + '1'
select @ '1'
select to_char(now(), 'YYYY'), to_char(1, '9'), to_char(1.5, '9'), to_date('a', 'b'), to_number('1', '9'), to_timestamp(1), to_timestamp('a', 'b')
select to_char('1', '9')
select width_bucket(1, 2, 3, 4), random() * 10, gen_random_uuid(), md5('a'), encode('a', 'hex'), decode('a', 'hex'), sha256('a')
select string_to_array('a,b', ','), regexp_replace('a', 'b', 'c'), regexp_matches('a', 'b'), split_part('a', 'b', 1), left('a', 1), repeat('a', 2), lpad('a', 2), chr(65), ascii('a'), reverse('a'), replace('a', 'b', 'c'), quote_literal(1), quote_literal('a'), initcap('a'), strpos('a', 'b'), translate('a', 'b', 'c')
select bool_and(true), bool_or(false), every(true), bit_and(1), stddev(1), variance(1.5), corr(1, 2), json_agg(1), jsonb_agg('a'), json_object_agg('a', 1), xmlagg('<a/>')
select ntile(4) over (), nth_value(1, 2) over (), lag(1.5, 1, 0) over (), lead('a', 1, 'b') over (), cume_dist() over (), percent_rank() over (), dense_rank() over (order by 1)
select (1, 2) overlaps (3, 4), (now(), now()) overlaps (now(), interval '1 day')
select 1 as a, 2 as b order by a + b
select default
select lower(variadic array['a'])
select least(), 1
select pg_advisory_lock(1), pg_advisory_lock(1, 2), set_config('a.b', 'c', false), current_setting('a'), current_setting('a', true), has_table_privilege('pg_class', 'select'), obj_description(1, 'pg_class'), col_description(1, 1), pg_get_expr(null, 0), pg_get_indexdef(1), pg_get_constraintdef(1), format_type(1, null), pg_table_is_visible(1), version(), pg_backend_pid(), txid_current(), pg_sleep(1)
select * from generate_series(1, 3) g, lateral (select g * 2) s(x), unnest(array[1], array['a']) u(a, b)
select sum(x) over (order by x rows between 1 preceding and current row) from (values (1), (2)) v(x)
select x + 1, y || 'a' from (values (1, 'a'), (2.5, 'b')) v(x, y)
select x from (values (1), ('a')) v(x)
select 1 union select 2.5
select 1 union select 'a'
select 1 union select true
select '1' union select '2' union select 3
select null union select 1
