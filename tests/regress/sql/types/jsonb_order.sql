-- jsonb ordering and uniqueness
create table j (v jsonb unique);
insert into j values ('1'), ('"a"'), ('[1]'), ('{"a": 1}'), ('null'), ('true'), ('false'), ('[]'), ('{}'), ('1.5'), ('[1, 2]');
insert into j values ('1.0');
select v from j order by v;
select count(*) from j where v = '{"a": 1}';
select v, count(*) from (select '{"a":1, "b":2}'::jsonb as v union all select '{"b":2,"a":1.0}') s group by v;
