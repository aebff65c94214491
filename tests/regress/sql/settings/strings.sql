-- standard_conforming_strings, backslash_quote, escape warnings
show standard_conforming_strings;
select 'a\nb';
set standard_conforming_strings = off;
select 'a\nb';
set escape_string_warning = off;
select 'a\\b';
set standard_conforming_strings = on;
select 'a\\b';
