-- Unknown literals take the type of the other side
create table k (i int, n numeric, d date, b bool, t text);
insert into k values (1, 1.50, '2024-01-01', true, 'x');
select i from k where i = '1' and n = '1.5' and d = '2024-01-01' and b = 't' and t = 'x';
select i from k where d > 'yesterday'::text::date or d < 'infinity';
select i from k where i = '1.5';
select i from k where d = '2024-13-01';
select i from k where t = 1;
select i from k where i = 1.0 and i < 1.5 and n > 1 and n = 1.5::float8;
select i from k where d = timestamp '2024-01-01 00:00';
