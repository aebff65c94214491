-- COPY in CSV format: header, quotes, NULL, force options
create table t (a int, b text);
copy t from stdin with (format csv, header);
a,b
1,"x, ""y"""
2,
3,""
\.
select a, b, b is null as n from t order by a;
copy t to stdout with (format csv, header, force_quote (b));
copy t to stdout (format csv, delimiter ';', null 'NULL', quote '''');
copy t from stdin (format csv);
4,"unterminated
\.
copy t from stdin (format csv, delimiter 'ab');
\.
copy t to stdout (format nope);
copy t to stdout (nope 1);
copy (delete from t where a = 1 returning *) to stdout csv;
copy t from stdin where a > 5;
4	no
6	yes
\.
select * from t order by a;
