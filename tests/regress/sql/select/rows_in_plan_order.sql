-- The order of rows: the outer table of a nested loop, partitions by their bounds
create table j1(i int, j int, t text); create table j2(i int, k int); create table pt(f1 point); create table bx(f1 box); create table c10(c char(10)); create table v100(v varchar(100));
insert into j1 values (1,4,'one'),(2,3,'two'),(3,2,'three'); insert into j2 values (1,-1),(2,2),(3,-3),(2,4);
insert into pt values ('(0,0)'),('(1,1)'),('(5,5)'); insert into bx values ('(2,2),(0,0)'),('(3,3),(1,1)'); insert into c10 values ('a'),('b'); insert into v100 values ('x'),('y'),('z');
select * from j1 cross join j2; select * from j1, j2; select * from j2, j1; select * from j2 cross join j1; select * from j1 a, j1 b; 
select * from j1 as t1 (a,b,c) cross join j2 as t2 (d,e); select t1.a, t2.e from j1 t1 (a, b, c), j2 t2 (d, e) where t1.a = t2.d;
select * from pt p, bx b; select * from bx b, pt p; select * from pt p, bx b where p.f1[0] between 1 and 10; select * from pt p1, pt p2 where p1.f1[0] between 1 and 10; select * from pt p1, pt p2 where p2.f1[0] > 0;
select * from c10, v100; select * from v100, c10; select * from j1, c10; select * from c10, pt;
select count(*) from j1, j2; select j1.i, sum(k) from j1, j2 group by j1.i order by 1;
select * from j1 inner join j2 on true; select * from j1 join j2 on j1.i > j2.i; select * from j2 join j1 on j1.i > j2.i; select * from j1, j2 where j1.i <> j2.i; select * from j1 a, j2 b where a.i < b.i or a.j = 4;
analyze j1; analyze j2; analyze pt; analyze bx;
select * from j1 cross join j2; select * from j1, j2; select * from bx b, pt p; select * from j2, pt; select * from j1, pt; select * from j1, c10; select * from j1, j2 where j1.i = 1;  select * from j1, j2 where j1.i in (1,2);
select * from j1 cross join j2 order by 1 limit 3;
create table lp(a text, b int) partition by list(a);
create table lp_def partition of lp default partition by range(b);
create table lp_d2 partition of lp_def for values from (10) to (20); create table lp_d1 partition of lp_def for values from (0) to (10);
create table lp_null partition of lp for values in (null); create table lp_z partition of lp for values in ('z','b'); create table lp_a partition of lp for values in ('a', null) ;
create table lp_a partition of lp for values in ('a') partition by range(b); create table lp_a2 partition of lp_a for values from (5) to (maxvalue); create table lp_a1 partition of lp_a for values from (minvalue) to (5);
create table lp_c partition of lp for values in ('c');
insert into lp values ('z',1),('c',1),(null,0),('a',9),('a',1),('b',3),('q',15),('r',5);
select tableoid::regclass, * from lp; select * from lp where b > 2; select count(*), min(tableoid::regclass::text) from lp;
create table rp(a int, b text) partition by range(a, b); create table rp3 partition of rp for values from (2,'m') to (3,'a'); create table rp1 partition of rp for values from (minvalue, minvalue) to (1,'z'); create table rp2 partition of rp for values from (1,'z') to (2,'m'); create table rpd partition of rp default; create table rp9 partition of rp for values from (9, minvalue) to (9, maxvalue);
insert into rp select i, chr(96+i) from generate_series(0,9) i; select tableoid::regclass, * from rp; 
create table hp(a int) partition by hash(a); create table hp3 partition of hp for values with (modulus 4, remainder 3); create table hp0 partition of hp for values with (modulus 2, remainder 0); create table hp1 partition of hp for values with (modulus 4, remainder 1);
insert into hp select generate_series(1,20); select tableoid::regclass, count(*) from hp group by 1 order by 1; select tableoid::regclass, a from hp;


create table par(a int); create table ch2(b int) inherits (par); create table ch1() inherits (par); create table gch() inherits(ch2); insert into gch values (4); insert into ch1 values(3); insert into ch2 values (2); insert into par values (1); select tableoid::regclass, * from par; select tableoid::regclass, * from only par; update par set a = a+1 returning tableoid::regclass,*;
