-- Different implicit collations: an error when strings are compared
create table ct(x text collate "C", y text collate "POSIX", z text);
select x < y from ct;
insert into ct values ('a','b','c');
select x < y from ct;
select x = y from ct;
select x = z, x < 'a', x < y collate "C", x || y = z from ct;
select x || y < 'a' from ct;
select * from ct where x > y;
select * from ct a join ct b on a.x = b.x;
select coalesce(x, y) = 'a' from ct;
update ct set z = 'q' where x = y;
create table h(a int, b int, c int);
