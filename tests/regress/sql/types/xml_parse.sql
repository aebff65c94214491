-- what is well-formed and what libxml2 says of the rest
select xmlparse(content '<wrong');
select xmlparse(content '<a>&</a>');
select xmlparse(content '<twoerrors>&idontexist;</unbalanced>');
select xmlparse(content 'x</a>');
select xmlparse(content '<r
>
 <b>&lt;</c>
</r>');
select xmlparse(document '<a/><b/>');
select xmlparse(document 'abc');
select xmlparse(document '');
select xmlparse(content '<?xml version="1.0" standalone="maybe"?><a/>');
select xmlparse(content ' <?xml version="1.0"?><a/>');
select xmlparse(content '<?xmlfoo bar?><a/>');
select xmlparse(content '<?xml version="1.1" standalone="yes"?><a/>'), xmlparse(content '<?xml version="1.0" encoding="utf-8"?><a/>'), xmlparse(content 'a <b/> c'), xmlparse(content '<x:a/>');
select xmlparse(content '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/nothing">]><a>&x;</a>');
select '<a'::xml;
set xmloption = document;
select 'x'::xml;
set xmloption = content;
select '<a/>'::xml is document, 'a'::xml is document, '<a/>'::xml is not document, xml_is_well_formed('a'), xml_is_well_formed_document('a'), xml_is_well_formed_content('<a>');
