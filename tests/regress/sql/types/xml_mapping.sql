-- table_to_xml and its kin
create schema tx;
create domain tx.dom as int check (value > 0);
create table tx.t1 (a int, b text, c numeric(10,2), d bytea, e date, g timestamptz, h bool, j int[], k tx.dom, m char(3), "p q" xml);
insert into tx.t1 values (1,'one<&>',1.5,'\xdead','2020-01-01','2020-01-01 10:00+00',true,'{1,2}',5,'x','<q/>'), (2);
set timezone = 'UTC';
select table_to_xml('tx.t1', false, false, '');
select table_to_xml('tx.t1', true, true, 'http://x');
select query_to_xml('select a, b from tx.t1 order by a', true, false, 'ns');
select schema_to_xml('tx', false, true, '');
begin;
declare c cursor for select a, b from tx.t1 order by a;
select cursor_to_xml('c', 1, false, true, '');
select cursor_to_xml('c', 10, true, false, '');
rollback;
select query_to_xml('select nosuch', false, true, '');
select query_to_xml('delete from tx.t1', false, true, '');
select query_to_xmlschema('select a, g, h from tx.t1', true, false, 'x');
