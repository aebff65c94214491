-- float8 prints the shortest exact form; range errors name the type
select 0.1::float8, 1e15::float8, 1e16::float8, 1e-5::float8, 123456789.123::float8, 100::float8, -0.0::float8;
select 0.1::float4, 1e10::float4, 16777217::float4, 3.4028235e38::float4;
select 'NaN'::float8, 'inf'::float8, '-Infinity'::float8;
select '1e400'::float8;
select '1e-400'::float8;
select '1e40'::float4;
select 'xyz'::float8;
select ''::float8;
