-- jsonpath queries
select jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)');
select jsonb_path_query_array('[1, "a", null]', '$[*].type()'), jsonb_path_exists('{"a": 1}', '$.b'), jsonb_path_query_first('{"a": {"b": 2}}', '$.**.b'), '{"a": 5}'::jsonb @@ '$.a > 3', '{"a": 5}'::jsonb @? '$.a ? (@ < 3)';
select jsonb_path_query('[1, 2]', '$[*] * 2');
select '$.a[*] ? (@.b == "x" && @.c > 1)'::jsonpath, 'strict $.a'::jsonpath;
select jsonb_path_query('{"a": 1}', 'strict $.b');
select '$.'::jsonpath;
