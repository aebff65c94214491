-- Binary output of many types
-- format: binary
-- bind: []
select true, 1::int2, 1::int4, 1::int8, 1.5::float4, 1.5::float8, 'x'::text, '\x01ff'::bytea, 'a'::"char", 'abc'::bpchar(5), 26::oid;
-- format: binary
-- bind: []
select 12345.678::numeric, -0.001::numeric, 0::numeric, 'NaN'::numeric, 1e10::numeric, 'Infinity'::numeric;
-- format: binary
-- bind: []
select date '2024-02-29', time '12:34:56.789', timetz '12:34:56+02', timestamp '2024-02-29 12:34:56', timestamptz '2024-02-29 12:34:56+00', interval '1 mon 2 days 3:04:05', date 'infinity', timestamp '-infinity';
-- format: binary
-- bind: []
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '{"a": 1}'::json, '{"a": 1}'::jsonb, '192.168.1.1/24'::inet, '10.0.0.0/8'::cidr, '08:00:2b:01:02:03'::macaddr, B'10101', '12.34'::money;
-- format: binary
-- bind: []
select array[1, 2, null], array['a', 'b'], '{}'::int[], array[[1, 2], [3, 4]], row(1, 'x'), int4range(1, 5), '[1,)'::int4range, 'empty'::int4range;
-- format: binary
-- bind: []
select '(1,2)'::point, '1.5'::float4::float8, 'pg_class'::regclass, 'int4'::regtype, 'x'::name, 'a'::varchar(3), ''::void is null;
