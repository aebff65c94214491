-- bool accepts unique prefixes of true/false/yes/no and on, off, 1, 0, in any case, trimmed
select 't'::bool, 'TRUE'::bool, ' y '::bool, 'on'::bool, '1'::bool, 'tr'::bool;
select 'f'::bool, 'FALSE'::bool, 'n'::bool, 'off'::bool, '0'::bool, 'fal'::bool, 'of'::bool;
select 'o'::bool;
select ''::bool;
select 'maybe'::bool;
select '10'::bool;
