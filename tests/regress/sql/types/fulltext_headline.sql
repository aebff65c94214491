-- ts_headline: covers, limits, fragments
create table doc(t text);
insert into doc values ('Day after day, day after day, We stuck, nor breath nor motion, As idle as a painted Ship Upon a painted Ocean. Water, water, every where And all the boards did shrink; Water, water, every where, Nor any drop to drink. S. T. Coleridge (1772-1834)');
select ts_headline('english', t, to_tsquery('english', q)) from doc, (values ('paint&water'), ('seahorse'), ('ocean & !day'), ('painted <-> ocean')) v(q);
select ts_headline('english', t, to_tsquery('english','breath & motion & water'), 'MaxWords=10, MinWords=3, ShortWord=2, StartSel=<<, StopSel=>>') from doc;
select ts_headline('english', t, to_tsquery('english','ocean | drink'), 'MaxFragments=2, MaxWords=6, MinWords=2, FragmentDelimiter=" ... "') from doc;
select ts_headline('english', t, to_tsquery('english','day & drink'), 'MaxFragments=2') from doc;
select ts_headline('foo <b>bar</b> well-known &amp; http://a.b/c baz','baz | known'::tsquery), ts_headline('foo <b>bar</b> baz','baz'::tsquery, 'HighlightAll=true');
select ts_headline('english', '{"a":"fat cats","b":["rats", 5]}'::json, to_tsquery('cat|rat')), ts_headline('english', '{"a":"fat cats","b":["rats", 5]}'::jsonb, to_tsquery('cat|rat'));
select ts_headline('x','x'::tsquery,'MaxWords=abc');
