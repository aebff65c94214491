-- NaN and infinities of numeric: ordering, arithmetic and errors
select 'NaN'::numeric = 'NaN'::numeric, 'NaN'::numeric > 'Infinity'::numeric, '-Infinity'::numeric < -1e300;
select 'Infinity'::numeric - 'Infinity'::numeric, 'Infinity'::numeric * 0, 1 / 'Infinity'::numeric;
select 1.0 / 0;
select 'Infinity'::numeric / 0;
select mod(5.5, 0);
select 'abc'::numeric;
select 'Infinity'::numeric::int;
select 'NaN'::numeric::int;
select x from (values ('NaN'::numeric), ('1'), ('-Infinity'), ('Infinity'), (null)) v(x) order by x;
