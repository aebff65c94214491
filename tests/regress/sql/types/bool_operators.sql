-- Three-valued logic, comparisons and IS tests of bool
select true and null as a, false and null as b, true or null as c, false or null as d, not null::bool as e;
select true > false, true >= true, false <> true, true = null;
select null::bool is true, null::bool is not true, null::bool is unknown, false is false, true is not unknown;
select true::int, false::text, 1::bool, 0::bool, 'yes'::text::bool;
select bool_and(x), bool_or(x), every(x) from (values (true), (false), (null)) v(x);
select 1.5::bool;
