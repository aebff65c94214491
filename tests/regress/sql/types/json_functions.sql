-- json constructors and processing functions
select to_json('a"b'::text), to_jsonb(1.50), to_json(array[1, 2]), to_jsonb(date '2024-01-01'), to_json(timestamp '2024-01-01 10:00'), row_to_json(row(1, 'a')), array_to_json(array[[1,2],[3,4]]);
select json_build_object('a', 1, 'b', null), jsonb_build_array(1, 'a', true, null), json_object('{a,1,b,2}'), jsonb_object('{a,b}', '{1,2}');
select json_typeof('1'), jsonb_typeof('[]'), jsonb_array_length('[1,2]'), json_strip_nulls('{"a":null,"b":1}'), jsonb_pretty('{"a": [1, {"b": 2}]}');
select jsonb_set('{"a": {"b": 1}}', '{a,b}', '2'), jsonb_set('{"a": 1}', '{b}', '2', false), jsonb_insert('[1,2]', '{1}', '9'), jsonb_insert('[1,2]', '{1}', '9', true);
select * from json_each('{"a": 1, "b": "x"}');
select * from jsonb_each_text('{"a": 1, "b": "x"}') order by 1;
select * from jsonb_array_elements('[1, "a", null]') with ordinality;
select * from json_array_elements_text('[1, "a", null]');
select * from jsonb_object_keys('{"bb": 1, "a": 2}');
select * from json_to_recordset('[{"a": 1, "b": "x"}, {"a": "2"}]') as t(a int, b text);
select * from jsonb_to_record('{"a": [1, 2], "b": {"c": 1}}') as t(a int[], b jsonb);
select json_agg(x order by x), jsonb_object_agg(x, x * 2) from generate_series(1, 3) x;
select jsonb_array_length('{}');
select jsonb_build_object('a');
select jsonb_build_object(null, 1);
