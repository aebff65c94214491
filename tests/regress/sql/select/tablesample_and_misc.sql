-- TABLE, ONLY, SELECT INTO, empty select list
create table t (a int);
insert into t values (1);
table t;
select from t;
select into u from t;
select a + 1 as b into v from t;
select * from v;
select * from only t;
select t.*, t.a from t;
select;
select 1 as "a""b";
select all 1;
