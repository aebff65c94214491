-- pg_tables, pg_views, pg_indexes, pg_roles, pg_stat_activity, pg_database
create table t (a int primary key);
create view v as select 1 as one;
select schemaname, tablename, tableowner, hasindexes from pg_tables where schemaname = 'public';
select viewname, definition from pg_views where schemaname = 'public';
select indexname, indexdef from pg_indexes where schemaname = 'public';
select rolname, rolsuper, rolcanlogin from pg_roles where rolname = 'postgres';
select datname = current_database() as mine, application_name, state, query from pg_stat_activity where pid = pg_backend_pid();
select datname, datallowconn, pg_encoding_to_char(encoding) from pg_database where datname in ('template0', 'template1', 'postgres') order by 1;
select count(*) > 0 from pg_timezone_names where name = 'Europe/Berlin';
select abbrev, utc_offset from pg_timezone_abbrevs where abbrev = 'PST';
