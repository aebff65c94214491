-- ALTER COLUMN TYPEs of one statement see the old row; indexes, statistics, constraints follow
create table t1 (a int, b text, c numeric); insert into t1 values (1, '10', 2.5), (2, '20', 3.5);
alter table t1 alter a type text using b || '-' || a, alter b type int using a + b::int, alter c type int using (c * 10)::int + a;
select * from t1;
alter table t1 alter b type int, alter b type bigint; alter table t1 alter b type int using null::int; alter table t1 alter b set not null; alter table t1 alter b type int using nullif(b, 11);
create table t2 (a int, b int, g int generated always as (a * 2) stored, constraint ck check (a > 0 and b > 0)); create index t2_e on t2 ((a + b)) where b > 1; create statistics t2_s on (a + b), (a * b) from t2; insert into t2 values (1, 2), (6, 7);
alter table t2 alter b type numeric; select pg_get_indexdef('t2_e'::regclass), (select pg_get_statisticsobjdef(oid) from pg_statistic_ext where stxname = 't2_s'); select * from t2;
alter table t2 alter a type bigint; alter table t2 alter g type text; alter table t2 alter b type text; select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck';
create table p (a int, b int); create table c1 (b int, a int); alter table c1 inherit p; insert into p values (1, 1); insert into c1 values (2, 3);
alter table p alter a type text using a::text || b, alter b type numeric using a * 2.5; select tableoid::regclass, a, b from p order by a; alter table p alter a type text using p::text; alter table only p alter a type int using 1; alter table c1 alter a type int using 1;
create table dep (a int, b int, c int, d int); create function trf() returns trigger language plpgsql as 'begin return new; end'; create trigger tr before update of a on dep for each row when (old.b > 1) execute function trf(); create policy po on dep using (c > 0); create function fn() returns int begin atomic select d from dep; end;
alter table dep alter a type bigint; alter table dep alter b type bigint; alter table dep alter c type bigint; alter table dep alter d type bigint;
create table ex (k int, r int4range, exclude using btree (k with =), exclude using gist (r with &&)); insert into ex values (1, '[1,5)'), (2, '[5,9)');
alter table ex alter k type bigint, alter r type int8range using int8range(lower(r), upper(r)); insert into ex values (1, '[20,30)'); insert into ex values (3, '[2,3)'); alter table ex alter k type int using 1;
create table op (a text, b varchar(5) collate "C"); create index opi on op (a text_pattern_ops, b collate "POSIX"); alter table op alter a type varchar(9); alter table op alter b type text; select pg_get_indexdef('opi'::regclass); alter table op alter b type int using 1; alter table op alter a type int using 1;
drop table t1, t2, p, c1, ex, op; drop function fn, trf cascade; drop table dep;
