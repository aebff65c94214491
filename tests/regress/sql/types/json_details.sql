-- blanks of character(n) in documents, null subscripts, predicates in jsonpath, many arguments in FROM
create table pp(a char(4));
insert into pp values ('q');
select row_to_json(pp), to_jsonb(a), json_build_array(a), jsonb_build_object(a, a), format('%s|', a), concat(a, '|') from pp;
select json_agg(a), jsonb_agg(a), json_object_agg(a, a) from pp;
create table tj(j jsonb);
insert into tj values ('{}');
update tj set j[null] = '1';
select '$ && $'::jsonpath;
select '$ ? (@.a)'::jsonpath;
select '$ ? (!@.a)'::jsonpath;
select '$ ? (!(@.a == 1) && exists(@.b))'::jsonpath;
select jsonb_path_query('1', '$'), jsonb_path_query('2', '$'), jsonb_path_query('3', '$'), jsonb_path_query('4', '$'), jsonb_path_query('[5,6]', '$[*]'), jsonb_path_query('{"a":"x''y"}', '$.a');
select jsonb_hash_extended('1', 5), jsonb_hash_extended('{"a":[1,"x",null,false]}', 0);
select jsonb_populate_record(1, '{}');
