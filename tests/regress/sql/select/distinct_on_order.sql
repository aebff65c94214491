-- DISTINCT ON sorts
create table j(v jsonb, a int, id serial);
insert into j(v,a) values ('null',3),('{"k":{"l":"m"}}',1),('[1,2]',null),('{"k":{"l":"n"}}',2),(null,3);
select distinct on (v #> '{k,l}') v #> '{k,l}' from j;
select distinct on (a) a from j;
select distinct on (a, id) a, id from j; 
select distinct on (a) a, v from j limit 2;
