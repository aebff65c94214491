-- information_schema views
create table p (id int primary key, v varchar(10) default 'x');
create table c (id int, pid int not null references p);
create view w as select id from p;
select table_name, table_type, is_insertable_into from information_schema.tables where table_schema = 'public' order by 1;
select table_name, column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, numeric_precision, udt_name from information_schema.columns where table_schema = 'public' order by 1, 3;
select constraint_name, table_name, constraint_type from information_schema.table_constraints where table_schema = 'public' and constraint_type <> 'CHECK' order by 1;
select constraint_name, column_name, ordinal_position from information_schema.key_column_usage where table_schema = 'public' order by 1, 3;
select constraint_name, unique_constraint_name, match_option, update_rule, delete_rule from information_schema.referential_constraints order by 1;
select schema_name from information_schema.schemata where schema_name in ('public', 'information_schema') order by 1;
select table_name, view_definition from information_schema.views where table_schema = 'public';
