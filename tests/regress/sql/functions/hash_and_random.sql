-- Hash functions, checksums, and seeded random
select md5('a'), sha224('a'), sha512('')::text ~ '^\\x', hashtext('a'), hash_array(array[1]), hashint4(1);
select setseed(0.5);
select random() between 0 and 1, random() <> random();
