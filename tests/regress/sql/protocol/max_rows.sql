-- Execute with a row limit suspends the portal
-- bind: []
-- max_rows: 2
select g from generate_series(1, 4) g;
-- bind: []
-- max_rows: 10
select 1;
-- bind: ["3"]
-- max_rows: 1
select g, 'row' from generate_series(1, $1::int) g;
create table t (a int);
-- bind: []
-- max_rows: 1
insert into t values (1), (2) returning a;
select count(*) from t;
-- bind: []
-- max_rows: 1
select 10 / (g - 2) from generate_series(1, 3) g;
