-- Quoting functions and string literal forms
select quote_literal('O''Reilly'), quote_literal(E'a\\b'), quote_ident('Foo'), quote_ident('select'), quote_ident('abc'), quote_nullable(null);
select format('%s %I %L %%', 'a', 'B c', 'd''e'), format('%2$s %1$s', 'a', 'b'), format('%-5s|%5s|', 'a', 'b'), format('%L', null);
select format('%s', null), format('%I', null);
select format('%d', 1);
select format('%s %s', 'a');
select E'a\tb\nc\\d\x41\u00e9', U&'d\0061t\+000061', U&'d!0061' uescape '!', $$a'b$$, $q$x$$y$q$, 'a'
'b';
select '\x41', e'\'';
