-- statement_timeout ends a statement with 57014
set statement_timeout = 50;
select pg_sleep(5);
reset statement_timeout;
select 1;
