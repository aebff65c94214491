-- xml input, serialisation and predicates
select '<a>1</a>'::xml, xmlparse(document '<a/>'), xmlelement(name foo, xmlattributes(1 as bar), 'cont'), xmlforest(1 as a, 'x' as b), xmlcomment('hi'), xmlconcat('<a/>', '<b/>'), xmlpi(name php, 'echo');
select xmlserialize(content '<a/>'::xml as text), '<a/>'::xml is document, xml_is_well_formed('<a>');
select xmlagg(x::xml) from (values ('<a/>'), ('<b/>')) v(x);
