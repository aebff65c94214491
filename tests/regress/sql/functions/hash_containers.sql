-- hash functions of containers, with and without a seed
create type comp as (a int, b text);
create domain dpos as int check (value>0);
select hash_array(array[true,false]), hash_array(array['a'::bytea,null]), hash_array(array[1::dpos]), hash_array_extended(array[1,2],5), hash_array_extended(array['a',null],-1), hash_array_extended(array['2020-01-01'::date],7), hash_array(array[array['1.5'::numeric]]), hash_array_extended(array['1.2.3.4'::inet],1), hash_array_extended(array[true],3), hash_array_extended(array['a'::bytea],3), hash_array_extended(array[uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],3), hash_array_extended(array[1.5::float8,0,'nan'],3);
select hash_range('[1,5)'::int4range), hash_range_extended('[1,5)'::int4range,3), hash_multirange('{[1,5)}'::int4multirange), hash_multirange_extended('{[1,5),[8,9)}'::int4multirange,3), hash_range('empty'::int4range), hash_range('(,)'::numrange), hash_range('[2020-01-01,2020-02-01)'::daterange), hash_range_extended('empty'::int4range,5), hash_range_extended('[2020-01-01,)'::tsrange,0), hash_multirange('{}'::nummultirange);
select hash_record(row(1,'a')), hash_record_extended(row(1,'a'),1), hash_record((1,'a')::comp), hash_record(row(null)), hash_record_extended((2,'x')::comp,0);
select hash_record(row(1,'a'::text)), hash_record(row(null::int)), hash_record_extended(row(1::bigint,now()-now()),7);
select jsonb_hash('{"a":1}'), jsonb_hash_extended('{"a":[1,null,true]}',1), jsonb_hash_extended('{}',9), jsonb_hash_extended('"x"',0), jsonb_hash_extended('[true,1.5]',0), jsonb_hash('[]');
select jsonb_hash_extended('null',1), jsonb_hash_extended('[null]',5);
select jsonb_hash_extended('true',1), jsonb_hash_extended('true',5);
select jsonb_hash_extended('1',1), jsonb_hash_extended('1',0);
select jsonb_hash_extended('"a"',1);
select jsonb_hash_extended('[]',1),jsonb_hash_extended('[[]]',1);
select jsonb_hash_extended('{"a":[]}',1);
