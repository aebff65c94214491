-- Sub-selects in RETURNING see the tables as they were before the statement
create table ret(id serial, v text default 'd', n int);
insert into ret(n) values (1),(2) returning (select max(n) from ret), (select count(*) from ret);
insert into ret(n) values (3) returning (select max(n) from ret), n;
update ret set n = n+100 returning n, (select sum(n) from ret), exists(select 1 from ret r where r.n = ret.n);
delete from ret where n=101 returning n, (select count(*) from ret);
insert into ret(n) select n+1 from ret returning n, (select count(*) from ret);
update ret set n = (select max(n) from ret)+1 where id = 2 returning n, (select max(n) from ret);
