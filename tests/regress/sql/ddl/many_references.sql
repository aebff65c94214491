-- Many rows of one statement that refer to others: all there, one missing, NULLs, self-reference
create table p (a int, b text, primary key (a, b));
insert into p select g, 'k' || g from generate_series(1, 50) g;
create table c (id int primary key, a int, b text, foreign key (a, b) references p);
insert into c select g, g, 'k' || g from generate_series(1, 50) g;
insert into c select g + 100, g, 'k' || g from generate_series(1, 55) g;
insert into c select g + 100, g, case when g % 2 = 0 then 'k' || g end from generate_series(1, 55) g where g <= 50 or g % 2 = 1;
select count(*), count(b) from c;
insert into c select g + 300, 1, 'k1' from generate_series(1, 20) g;
delete from p where a = 1;
create table f (id int primary key, a int, b text, foreign key (a, b) references p match full);
insert into f select g, g, 'k' || g from generate_series(1, 20) g;
insert into f select g + 20, case when g <> 15 then g end, 'k' || g from generate_series(1, 20) g;
create table s (id int primary key, up int references s);
insert into s select g, g + 1 from generate_series(1, 20) g;
insert into s select g, case when g < 20 then g + 1 end from generate_series(1, 20) g;
create table d (id int primary key, up int references s deferrable initially deferred);
begin;
insert into d select g, g + 5 from generate_series(1, 20) g;
insert into s select g + 20 from generate_series(1, 4) g;
commit;
begin;
insert into d select g, g + 5 from generate_series(1, 20) g;
insert into s select g + 20 from generate_series(1, 5) g;
commit;
select count(*) from d;
copy c from stdin;
1000	1	k1
1001	2	k2
1002	3	k3
1003	4	k4
1004	5	k5
1005	6	k6
1006	7	k7
1007	8	k9
\.
