-- xpath, xpath_exists, XMLEXISTS
create table xt(x xml);
insert into xt values ('<a/>'), ('<a/><b/>');
select xpath('//b/text()', '<a><b>1</b><b>2&lt;</b></a>'), xpath('//b', '<a><b x="1">1</b><b/></a>'), xpath('//@x', '<a x="1&quot;2"/>'), xpath('count(//b)', '<a><b/><b/></a>'), xpath('string(//b)','<a><b>x&lt;y</b></a>'), xpath('a/b', '<a><b/></a>'), xpath('//comment()', '<a><!--c--></a>'), xpath('1 div 0','<a/>');
select xpath('//x:b', '<a xmlns:x="http://u"><x:b>1</x:b></a>', array[array['x','http://u']]), xpath('//y:b', '<a xmlns="http://u"><b>1</b></a>', array[array['y','http://u']]);
select xpath('//text()', '<a>x<b>y</b><![CDATA[<z>]]></a>');
select xpath('//a', '<a/>', array['x','y']);
select xpath('//a', '<a/>', array[array['x',null]]);
select xpath('', x) from xt where x::text = '<a/>';
select xpath('//[', x) from xt where x::text = '<a/>';
select xpath('//y:b', x) from xt where x::text = '<a/>';
select xpath('//a', x) from xt where x::text = '<a/><b/>';
select xpath_exists('//b','<a><b/></a>'), xpath_exists('count(//c)','<a/>'), xmlexists('//c' passing by ref '<a/>'), xmlexists('a' passing '<a/>'), xmlexists('//a' passing null);
