-- standard_conforming_strings, backslash_quote, escape warnings
-- xfail: standard_conforming_strings = off is not obeyed by the parser
show standard_conforming_strings;
select 'a\nb';
set standard_conforming_strings = off;
select 'a\nb';
set escape_string_warning = off;
select 'a\\b';
set standard_conforming_strings = on;
select 'a\\b';
