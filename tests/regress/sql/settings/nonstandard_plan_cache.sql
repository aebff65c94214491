-- Statements that differ in literals alone, while a backslash is an escape in some of them
set escape_string_warning = off;
select length('abc'), 'x' || 'y';
select length('a\nc'), 'x' || 'a\tcd';
set standard_conforming_strings = off;
select length('abc'), 'x' || 'y';
select length('abd'), 'x' || 'z';
select length('a\nc'), 'x' || 'a\tcd';
create table t (a int primary key, b text);
insert into t values (1, 'plain');
insert into t values (2, 'with\ttab');
insert into t values (3, 'it\'s');
reset standard_conforming_strings;
insert into t values (4, 'with\ttab');
select a, b, length(b) from t order by a;
