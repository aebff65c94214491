-- json and jsonb access operators
select '{"a": {"b": [10, 20, "x"]}}'::jsonb -> 'a' -> 'b' -> 1, '{"a": 1}'::json ->> 'a', '[1,2,3]'::jsonb -> -1, '{"a": {"b": "c"}}'::jsonb #>> '{a,b}', '{"a": [1, {"b": 2}]}'::json #> '{a,1,b}';
select '{"a": 1}'::jsonb -> 'z', '{"a": null}'::jsonb ->> 'a', '[1]'::jsonb -> 'a';
select '{"a": 1, "b": 2}'::jsonb @> '{"a": 1}', '[1, 2]'::jsonb <@ '[1, 2, 3]', '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb ?| array['x', 'a'], '{"a": 1}'::jsonb ?& array['x', 'a'];
select '{"a": 1}'::jsonb || '{"b": 2}', '[1]'::jsonb || '2', '{"a": 1, "b": 2}'::jsonb - 'a', '[1, 2, 3]'::jsonb - 1, '{"a": {"b": 1}}'::jsonb #- '{a,b}', '{"a":1,"b":2}'::jsonb - array['a','b'];
select ('{"a": [1, 2]}'::jsonb)['a'][0], '{"a": 1}'::jsonb = '{ "a" : 1.0 }'::jsonb;
select '5'::jsonb - 'a';
select '{"a": 1}'::jsonb - 1;
