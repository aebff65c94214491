-- varchar(n) errors on assignment beyond n, truncates on explicit cast; trailing blanks are cut
create table v (a varchar(3), b char(3));
insert into v values ('abcd', 'x');
insert into v values ('abc   ', 'x');
insert into v values ('a', 'abcd');
select a, b, length(b), octet_length(b), b || '|', b = 'x', b::text || '|' from v;
select 'abcdef'::varchar(3), 'abcdef'::char(3), 'a'::char(3) = 'a  '::char(5);
select 'a'::varchar(0);
select 'a'::char(10485761);
