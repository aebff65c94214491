-- COMMENT ON and its functions
create table t (a int);
comment on table t is 'a table';
comment on column t.a is 'a column';
select obj_description('t'::regclass, 'pg_class'), col_description('t'::regclass, 1);
comment on table t is null;
select obj_description('t'::regclass, 'pg_class');
comment on table nope is 'x';
comment on column t.nope is 'x';
create function f() returns int language sql as 'select 1';
comment on function f() is 'fn';
select obj_description('f'::regproc, 'pg_proc'), shobj_description(1, 'pg_database');
