-- Built-in rows: pg_type, pg_proc, pg_operator, pg_cast, pg_am
select oid, typname, typlen, typtype, typcategory, typarray, typdelim from pg_type where oid in (16, 20, 23, 25, 1043, 1082, 1184, 1700, 2950, 3802) order by oid;
select oid, proname, provolatile, proisstrict, prorettype, proargtypes from pg_proc where proname in ('upper', 'now', 'int4pl') order by oid;
select oid, oprname, oprleft::regtype, oprright::regtype, oprresult::regtype, oprcode from pg_operator where oprname = '||' order by oid;
select castsource::regtype, casttarget::regtype, castcontext, castmethod from pg_cast where castsource = 'int4'::regtype order by casttarget;
select count(*) > 2900 as procs, count(distinct pronamespace) >= 1 from pg_proc;
select amname, amtype from pg_am order by 1;
select nspname from pg_namespace where nspname !~ '^pg_(toast_)?temp' order by 1;
