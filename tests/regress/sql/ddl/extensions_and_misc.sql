-- Objects that exist to be found: extensions, languages, collations
select extname from pg_extension order by 1;
create extension nope;
create extension if not exists plpgsql;
select lanname from pg_language order by 1;
create collation c2 from "C";
select 'a' < 'B' collate c2, 'a' < 'B' collate "C", 'a' collate nope;
select 'a' < 'B' collate "C";
select 1 collate "C";
create aggregate mysum(int) (sfunc = int4pl, stype = int, initcond = '0');
select mysum(g) from generate_series(1, 4) g;
create operator === (leftarg = int, rightarg = int, function = int4eq);
select 1 === 1, 1 === 2;
create cast (int as bool) with function nope(int);
