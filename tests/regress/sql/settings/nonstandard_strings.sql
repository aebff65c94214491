-- Strings while standard_conforming_strings is off, long identifiers
set standard_conforming_strings = off;
select 'a\nb', 'it\'s', 'x\\y', 'plain', E'\t' || 'q';
select /* 'a\n' */ 'b' as "c\d", $$ '\n' $$;
set escape_string_warning = off;
select 'a\nb' as x, nope from pg_class;
select 'a\x41', length('\101') limit 'x\\';
set backslash_quote = off;
select 'it\'s';
select E'it\'s';
select 'a\nb', syntax error here;
reset all;
select 'a\nb', E'it\'s';
select 1 as aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg;
select 1 as "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg";
select 1 as aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg;
