-- Session information functions
select current_user = user, current_schema(), pg_backend_pid() = pg_backend_pid(), current_database() = current_catalog, pg_my_temp_schema();
select version() ~ '^PostgreSQL 15', current_setting('server_version_num')::int / 10000;
select pg_get_keywords() is not null limit 1;
select count(*) from pg_get_keywords() where catcode = 'R';
select obj_description(1259), format_type(23, -1), to_regclass('pg_class'), pg_describe_object(1259, 1259, 0), pg_identify_object(1259, 1259, 0);
