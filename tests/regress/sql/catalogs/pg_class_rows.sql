-- Rows of pg_class, pg_attribute and pg_index for a user table
create table t (a int primary key, b text, c int);
create index on t (b) where c > 0;
alter table t drop column c;
create index on t (b);
select relname, relkind, relnatts, relhasindex, relchecks, relpersistence, relhasrules, relhastriggers, relispartition from pg_class where relnamespace = 'public'::regnamespace order by relname;
select attname, atttypid::regtype, attlen, attnum, attnotnull, atthasdef, attisdropped, attndims, atttypmod from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum;
select attname, attnum from pg_attribute where attrelid = 't'::regclass and attnum < 0 order by attnum;
select indexrelid::regclass, indnatts, indisunique, indisprimary, indkey, pg_get_expr(indpred, indrelid) from pg_index where indrelid = 't'::regclass order by 1;
