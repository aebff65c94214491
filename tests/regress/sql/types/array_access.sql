-- Subscripts, slices and array functions
select a[1], a[9], a[2:3], a[:2], a[2:], (array[[1,2],[3,4]])[2][1], (array[[1,2],[3,4]])[1:2][2:2] from (values (array[10, 20, 30])) v(a);
select array_length(array[1,2], 1), array_length('{}'::int[], 1), array_ndims(array[[1],[2]]), array_dims(array[[1],[2]]), array_lower('[3:4]={1,2}'::int[], 1), array_upper('[3:4]={1,2}'::int[], 1), cardinality(array[[1,2],[3,4]]);
select array_append(array[1], 2), array_prepend(0, array[1]), array_cat(array[1], array[2]), array[1] || 2, 0 || array[1], array[1] || array[2], array_remove(array[1,2,1], 1), array_replace(array[1,2], 1, 9), trim_array(array[1,2,3], 1);
select array_position(array['a','b'], 'b'), array_positions(array[1,2,1], 1), array_to_string(array[1,null,3], ',', '*'), string_to_array('a,b,,c', ',', ''), array_fill(7, array[2,2]);
select array[1,2] @> array[1], array[1] <@ array[1,2], array[1,2] && array[2,3], array[1,2] = array[1,2], array[1,2] < array[1,3], array[1] < array[1, null];
select 2 = any(array[1,2]), 3 <> all(array[1,2]), 1 = any(null::int[]), 1 = all('{}'::int[]), null = any(array[1]), 2 > any('{1,5}');
select unnest(array[1,2]), unnest(array['a','b','c']);
select * from unnest(array[1,2], array['x']) as t(a, b);
select array_agg(x order by x desc), array_agg(array[x]) from generate_series(1, 2) x;
select (array[1,2])['a'];
