-- CREATE INDEX CONCURRENTLY that fails leaves an invalid index, which REINDEX makes valid
create table cu (a int, b text); insert into cu values (1, 'x'), (1, 'y');
create unique index concurrently cui on cu (a);
select indexrelid::regclass, indisvalid, indisready, indislive, indisunique from pg_index where indrelid = 'cu'::regclass;
insert into cu values (1, 'z'); insert into cu values (1, 'q') on conflict (a) do nothing; reindex index cui; cluster cu using cui; alter table cu add primary key using index cui;
delete from cu; reindex index cui; select indisvalid, indisready from pg_index where indexrelid = 'cui'::regclass; insert into cu values (3, 'a'); insert into cu values (3, 'b');
create index concurrently cx on cu ((a / (a - 3))); select indisvalid, indisready from pg_index where indexrelid = 'cx'::regclass; drop index cx;
create index concurrently if not exists cy on cu (b); create index concurrently if not exists cy on cu (b); begin; create index concurrently cz on cu (b); rollback; select indisvalid from pg_index where indexrelid = 'cy'::regclass;
create table cp (a int) partition by list (a); create index cpi on cp (a); drop index concurrently cpi; create index concurrently on cp (a); drop table cp;
create table mt (a int, b int); insert into mt values (1, 1); create materialized view mv as select * from mt; create unique index on mv (a); insert into mt values (1, 1); refresh materialized view concurrently mv; refresh materialized view mv; delete from mt; insert into mt values (null, 1), (null, 1); refresh materialized view concurrently mv; select * from mv;
drop materialized view mv; drop table mt, cu;
create table cl (a int primary key); create table cl2 (a int primary key); cluster cl using cl2_pkey; cluster cl using nope; begin; drop tablespace nope; rollback; vacuum (full, process_toast false) cl; drop table cl, cl2;
insert into pg_namespace (oid, nspname) values (99999, null); insert into pg_description values (1, 2, 3, null); insert into pg_am (amname) values ('x');
