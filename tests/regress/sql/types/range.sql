-- Range input, canonical form, operators and functions
select '[1,5]'::int4range, '(1,5)'::int4range, '[1,1)'::int4range, 'empty'::int4range, '(,5]'::int4range, '[2024-01-01,2024-01-31]'::daterange, '[1.5,2.5]'::numrange;
select int4range(1, 5) @> 3, int4range(1, 5) && int4range(5, 9), int4range(1, 5) -|- int4range(5, 9), int4range(1, 5) << int4range(6, 9), int4range(1, 5) + int4range(3, 8), int4range(1, 5) * int4range(3, 8), int4range(1, 5) - int4range(3, 8);
select lower(r), upper(r), isempty(r), lower_inc(r), upper_inc(r), lower_inf(r), upper_inf(r) from (values ('[1,)'::int4range)) v(r);
select int4range(5, 1);
select '[1,2'::int4range;
select int4range(1, 3) + int4range(5, 7);
select '{[1,3),[2,5),[7,8)}'::int4multirange, int4multirange(int4range(1,3)) + int4multirange(int4range(5,7)), range_merge(int4range(1,2), int4range(5,6)), unnest('{[1,2),[3,4)}'::int4multirange);
select range_agg(r) from (values (int4range(1,3)), (int4range(2,5)), (int4range(8,9))) v(r);
select int4range(1,3) < int4range(1,4), int4range(null, 3), numrange(1, 2, '[]');
