-- Functions about objects and the server
create table t (a int);
select pg_relation_size('t') >= 0, pg_total_relation_size('t'::regclass) >= 0, pg_size_pretty(123456789::bigint), pg_size_pretty(10::bigint), pg_size_bytes('1 MB');
select pg_table_is_visible('t'::regclass), pg_get_userbyid(10), has_schema_privilege('public', 'usage'), has_database_privilege(current_database(), 'connect');
select pg_client_encoding(), getdatabaseencoding(), inet_server_port() > 0;
select pg_column_size(1::int8), pg_typeof(pg_postmaster_start_time()), current_setting('server_encoding');
select quote_ident(nspname) from pg_namespace where oid = 11;
select has_table_privilege('nope', 'select');
select pg_get_viewdef(99999999::oid), pg_get_indexdef(99999999::oid);
