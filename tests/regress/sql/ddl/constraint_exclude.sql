-- EXCLUDE constraints
create table r (a int4range, exclude using gist (a with &&));
insert into r values ('[1,5)'), ('[5,9)');
insert into r values ('[3,6)');
insert into r values (null), (null), ('empty');
select count(*) from r;
create table e (a int, exclude (a with =));
insert into e values (1);
insert into e values (1);
