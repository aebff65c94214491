-- json keeps its text, jsonb normalises; errors show detail and context
select '{"b": 1,  "a": [1, 2.50, "x"], "a": null}'::json, '{"b": 1,  "a": [1, 2.50, "x"], "a": null}'::jsonb;
select '"\u00e9\n"'::jsonb, '1e2'::jsonb, '-0'::jsonb, ' null '::jsonb, '[]'::jsonb;
select '{"a":}'::json;
select '{"a": 1'::jsonb;
select ''::json;
select '"\u0000"'::jsonb;
select '[1, 2'::json;
select '01'::jsonb;
