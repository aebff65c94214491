-- tsvector and tsquery
select 'a fat cat sat'::tsvector, 'fat:2 cat:3A'::tsvector, 'fat & (rat | !cat)'::tsquery;
select to_tsvector('simple', 'The Fat Rats'), to_tsquery('simple', 'Fat & Rats'), plainto_tsquery('simple', 'fat rats'), phraseto_tsquery('simple', 'fat rats');
select to_tsvector('simple', 'fat rats ate') @@ to_tsquery('simple', 'fat & ate'), to_tsvector('simple', 'fat rats') @@ to_tsquery('simple', 'fat <-> ate'), setweight('a:1'::tsvector, 'B'), strip('a:1 b:2'::tsvector), length('a b'::tsvector);
select 'fat &'::tsquery;
