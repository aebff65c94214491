-- numeric keeps scale on output and rounds to its typmod half away from zero
select 1.0::numeric, 1.00 + 1.0, 1.10 * 1.10, 10.0 / 4, 1 / 3.0;
select 2.345::numeric(5,2), -2.345::numeric(5,2), 0.5::numeric(3,0), 1.5::numeric(3,0), 1250::numeric(5,-2);
select 1000::numeric(5,2);
select 99999.995::numeric(7,2);
select 'NaN'::numeric(5,2), 'Infinity'::numeric;
select 'Infinity'::numeric(5,2);
select 1::numeric(1001,2);
select 1::numeric(5,2000);
