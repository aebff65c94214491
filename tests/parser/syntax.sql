selec 1
select 1 +
select 'é', frm x y z
select 'abc
/* abc
select 1; selec 2
select 1 from
create table t (a int,)
select 123abc
select 1_000
select 0xff
merge into t using s on true when matched then delete returning *
merge into t using s on true when not matched by source then delete
select 1 is json
select * from json_table('{}','$' columns(a int)) x
select * from (select 1)
select * from (values (1))
alter table t alter column a set expression as (1)
create table t (a int storage plain)
grant a to b with inherit true
reindex database
select now() at local
create statistics on a from t
select b'12'
select x'fg'
select ""
select 1 limit 1, 2
select sum(1) over (rows between current row and 1 preceding)
