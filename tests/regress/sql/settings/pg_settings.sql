-- pg_settings rows
select name, setting, unit, category, context, vartype, source, min_val, max_val, enumvals, boot_val from pg_settings where name in ('work_mem', 'enable_seqscan', 'datestyle', 'bytea_output') order by name;
update pg_settings set setting = '128' where name = 'work_mem';
show work_mem;
