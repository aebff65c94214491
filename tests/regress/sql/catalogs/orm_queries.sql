-- What drivers and ORMs ask at start and when they reflect
create table t (id serial primary key, name varchar(20) not null, tags text[]);
select pg_catalog.version() ~ '^PostgreSQL 15\.';
show server_version_num;
show transaction isolation level;
show standard_conforming_strings;
select t.oid, typarray from pg_type t join pg_namespace ns on typnamespace = ns.oid where typname = 'hstore';
select pg_catalog.pg_class.relname from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace where pg_catalog.pg_class.relname = 't' and pg_catalog.pg_class.relkind = any (array['r', 'p', 'f', 'v', 'm']) and pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid);
select a.attname, format_type(a.atttypid, a.atttypmod), (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and a.atthasdef), a.attnotnull, pg_get_serial_sequence('t', a.attname) from pg_attribute a where a.attrelid = 't'::regclass and a.attnum > 0 order by a.attnum;
select con.conname, array(select att.attname from unnest(con.conkey) with ordinality k(n, o) join pg_attribute att on att.attrelid = con.conrelid and att.attnum = k.n order by k.o) from pg_constraint con where con.conrelid = 't'::regclass;
