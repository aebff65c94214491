-- Declarative partitioning: list, range, hash, default
-- xfail: the overlap error has no position
create table m (id int, k text, primary key (id, k)) partition by list (k);
create table m_a partition of m for values in ('a', 'b');
create table m_d partition of m default;
insert into m values (1, 'a'), (2, 'z');
select tableoid::regclass, * from m order by id;
update m set k = 'b' where id = 2;
select tableoid::regclass, * from m order by id;
insert into m_a values (3, 'q');
insert into m values (1, 'a');
create table r (d date, v int) partition by range (d);
insert into r values ('2024-01-01', 1);
create table r1 partition of r for values from ('2024-01-01') to ('2024-02-01');
create table r2 partition of r for values from ('2024-01-15') to ('2024-03-01');
insert into r values ('2024-01-01', 1), ('2024-02-01', 2);
insert into r values ('2024-01-31', 1) returning tableoid::regclass;
create table h (a int) partition by hash (a);
create table h0 partition of h for values with (modulus 2, remainder 0);
create table h1 partition of h for values with (modulus 2, remainder 1);
insert into h select generate_series(1, 10);
select count(*) from h;
alter table m detach partition m_a;
select count(*) from m;
create table m_c (id int not null, k text not null);
alter table m attach partition m_c for values in ('c');
insert into m values (5, 'c') returning tableoid::regclass;
select relname, relkind, relispartition from pg_class where relname like 'm%' and relkind in ('r', 'p') order by 1;
select pg_get_partkeydef('r'::regclass), pg_get_expr(relpartbound, oid) from pg_class where relname = 'r1';
