-- ON CONFLICT: partial indexes that the WHERE implies, whole rows of EXCLUDED, partitions
create table oc(id int primary key, k text); insert into oc values (1,'a');
insert into oc values (1,'q') on conflict (id) do update set k = excluded::text returning k;
insert into oc values (1,'q') on conflict (id) do update set k = excluded.*::text returning k;
insert into oc values (1,'q') on conflict (id) do update set k = oc.*::text||(oc.ctid is not null)::text returning k;
create unique index ocp on oc (k) where id > 100;
insert into oc values (101,'x') on conflict (k) where id > 100 do nothing;
insert into oc values (101,'x') on conflict (k) where id > 200 do nothing;
insert into oc values (101,'x') on conflict (k) where id = 150 do nothing;
insert into oc values (101,'x') on conflict (k) where id > 100 and k <> '' do nothing;
insert into oc values (101,'x') on conflict (k) where id > 50 do nothing;
insert into oc values (101,'x') on conflict (k) do nothing;
drop index ocp; create unique index ocp2 on oc (k) where k is not null;
insert into oc values (102,'x') on conflict (k) where k = 'x' do nothing;
insert into oc values (102,'x') on conflict (k) where k like 'x%' do nothing;
insert into oc values (102,'x') on conflict (k) where k is not null do nothing;
create table pt(id int, r text, primary key (id)) partition by range (id); create table pt1 partition of pt for values from (0) to (10); create table pt2 partition of pt for values from (10) to (20); insert into pt values (1,'x');
insert into pt values (1,'y') on conflict (id) do update set id = 12;
insert into pt values (1,'y') on conflict (id) do update set id = 5 returning *;
