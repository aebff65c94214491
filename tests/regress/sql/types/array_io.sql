-- Array literals, bounds, quoting and NULLs
select '{1,2,NULL}'::int[], '{{1,2},{3,4}}'::int[], '{"a,b","c\"d",null,"NULL",""}'::text[], '[0:1]={5,6}'::int[], '{}'::text[], array[]::int[], array[array[1], array[2]];
select '{1,2'::int[];
select '{{1},{2,3}}'::int[];
select '{a}'::int[];
select array[1, 'x'];
select array[];
select array[[1,2],[3]];
