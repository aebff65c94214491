-- ALTER SYSTEM: what it refuses, in which order, and what it writes.  Nothing is reloaded.

alter system reset all;
begin;
alter system set work_mem = '1MB';
rollback;
alter system set nosuch = 1;
alter system reset alter_system.nosuch;
alter system set block_size = 8192;
alter system set data_checksums = on;
alter system set config_file = 'x';
alter system reset data_directory;
alter system set transaction_isolation = 'serializable';
alter system set transaction_read_only = on;
alter system set transaction_deferrable = on;
alter system set session_authorization = 'x';
alter system set role = 'x';
alter system set is_superuser = on;
alter system set seed = 0.5;
alter system set work_mem = 'abc';
alter system set work_mem = -5;
alter system set work_mem = 1, 2;
alter system set enable_seqscan = maybe;
alter system set application_name = E'a\nb';
alter system set log_min_messages = 'nono';
alter system set timezone = 'nowhere';
alter system set default_tablespace = 'nosuch';

-- entries: replaced at the end, quotes and backslashes doubled
alter system set random_page_cost = 1.5;
alter system set search_path = 'a', "b c";
alter system set primary_conninfo = E'it''s \\ here';
alter system set work_mem = 4096;
alter system set work_mem to default;
alter system set enable_seqscan = off;
alter system set DateStyle = 'ISO, YMD';
alter system reset random_page_cost;
alter system set ENABLE_SEQSCAN = on;
select pg_read_file('postgresql.auto.conf');
select sourceline, name, setting, applied, error from pg_file_settings
where sourcefile like '%auto.conf' order by 1;
select name, source from pg_settings where name in ('enable_seqscan', 'search_path') order by 1;

-- privileges come first
create role alter_system_role;
set role alter_system_role;
alter system set nosuch = 1;
alter system set block_size = 1;
alter system reset all;
reset role;
grant alter system on parameter work_mem to alter_system_role;
set role alter_system_role;
alter system set work_mem = 'bla';
alter system set work_mem = '5MB';
alter system reset work_mem;
select * from pg_file_settings;
select * from pg_hba_file_rules;
reset role;
revoke all on parameter work_mem from alter_system_role;
drop role alter_system_role;

do $$ begin alter system set work_mem = 1000; end $$;
create function alter_system_f() returns void language sql as 'alter system reset all';
select alter_system_f();
drop function alter_system_f();
alter system reset all;
select pg_read_file('postgresql.auto.conf');
