-- regclass and its family
create table "Foo" (a int);
select '"Foo"'::regclass, 'pg_class'::regclass::oid, 1259::regclass, 'int4'::regtype, 'integer[]'::regtype, 'upper(text)'::regprocedure, '+(integer,integer)'::regoperator, 'public'::regnamespace, 'now'::regproc;
select 'nope'::regclass;
select 'nope'::regtype;
select 'lower'::regproc;
select 'nope(int)'::regprocedure;
select to_regclass('nope'), to_regtype('int4'), 99999999::regclass;
select oid::regclass::text from pg_class where relname = 'Foo';
