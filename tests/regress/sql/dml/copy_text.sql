-- COPY in text format: escapes, NULL, defaults, errors with context
create table t (a int, b text, c int default 9);
copy t from stdin;
1	one	5
2	\N	6
3	tab\there\\\n	7
\.
copy t (b, a) from stdin;
x	10
\.
select * from t order by a;
copy t to stdout;
copy (select a, b from t order by a) to stdout;
copy t from stdin;
1	x
\.
copy t from stdin;
z	x	1
\.
copy t from stdin;
1	x	1	2
\.
copy t (a) from stdin with (null 'nil', delimiter ',');
nil
\.
copy nope from stdin;
\.
copy t (nope) to stdout;
select count(*) from t;
