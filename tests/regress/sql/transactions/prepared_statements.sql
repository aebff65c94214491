-- PREPARE, EXECUTE, DEALLOCATE
prepare p (int, text) as select $1 + 1, upper($2);
execute p (1, 'x');
execute p (1);
execute p ('a', 'b');
prepare p as select 1;
prepare q as select $1::int;
execute q (5);
prepare ins as insert into nope values ($1);
execute nope;
select name, statement, parameter_types from pg_prepared_statements order by name;
deallocate p;
deallocate p;
deallocate all;
prepare bad as select $1;
execute bad ('x');
prepare bad2 as create table x (a int);
prepare d as select $2::int;
