-- Extended protocol: parameter types are inferred as PostgreSQL does
create table t (a int, b text, c numeric(6,2), d date);
-- bind: ["1", "x", "2.505", "2024-01-01"]
insert into t values ($1, $2, $3, $4) returning *;
-- bind: ["1"]
select * from t where a = $1;
-- bind: ["2"]
select $1;
-- bind: ["2"]
select $1 + 1;
-- bind: ["5", "7"]
select $1 || $2;
-- bind: ["a", "b"]
select $1::text || $2, upper($1);
-- bind: [null]
select $1::int is null, coalesce($1, 5);
-- bind: ["{1,2}"]
select a from t where a = any ($1);
-- bind: ["2"]
select g from generate_series(1, 5) g order by g limit $1;
-- bind: ["1", "2"]
select case when $1 then $2 else 'x' end;
-- types: [23]
-- bind: ["7"]
select $1;
-- types: [1700, 0]
-- bind: ["7.5", "1"]
select $1, $2::int8;
-- bind: ["x"]
select $1::int;
-- bind: ["1"]
select $2;
-- bind: ["1"]
select 1;
-- bind: []
select $1::int;
-- bind: ["2 days", "2024-01-01"]
select $2::date + $1::interval;
-- bind: ["1"]
select $1 = $1;
-- bind: ["1"]
insert into t (nope) values ($1);
-- bind: ["1"]
insert into t (a) values ($1::text);
