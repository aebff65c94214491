-- A parameter runs into the next word
select $1a;
prepare q(int) as select $1and;
select 1 where 2=$1_x;
select '$1a', "a$1b" from (select 1 as "a$1b") s; select a$1b from (select 1 as a$1b) s;
do $$ begin perform 1; /* $1x */ end $$; -- $1y
create function jp(int) returns int language sql as $$ select $1 -- $1a
$$;
select jp(2);
prepare r(int) as select $1 as a, $1+$1;
execute r(3);
deallocate r; drop function jp;
