-- Rows compare column by column, of the same types
create type complex as (r float8, i float8);
create table ct(x complex); insert into ct values ((1,2));
select * from ct where x = (1,2);
select * from ct where x = row(1,2)::complex;
select * from ct where x > row(0,0);
select row(1,2)::record = row(1,2::bigint)::record;
select (1,2)::record = (1,2::bigint)::record;
select (select row(1,2)) = (select row(1,2)), (select row(1,2)) < (select row(1,3)), (select row(1,null)) = (select row(1,null));
select (select row(1,2)) = (select row(1,2,3));
create function f5() returns record language sql as $$select 1, 'a'::text$$;
select * from f5() as (a int, b int);
select * from f5() as (a int, b text);
select (f5()).*;
