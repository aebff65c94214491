-- Utility statements by the extended protocol
-- xfail: constants are not folded at Bind, so the error comes after RowDescription
-- bind: []
create table t (a int);
-- bind: []
begin;
-- bind: []
insert into t values (1);
-- bind: []
select 1 / 0;
-- bind: []
select 1;
-- bind: []
rollback;
-- bind: []
show datestyle;
-- bind: []
;
-- bind: []
select 1; 
-- bind: []
set datestyle = 'ISO, DMY';
-- bind: []
values (1, 'x');
-- bind: []
explain (costs off) select 1;
-- bind: []
select 1 \; select 2;
-- bind: ["1"]
create table u (a int default $1);
