-- Assigning to elements and slices
create table t (a int[], b text[][]);
insert into t values ('{1,2,3}', '{{a,b},{c,d}}');
update t set a[2] = 20, b[1][2] = 'X' returning *;
update t set a[6] = 60 returning a;
update t set a[1:2] = '{7,8}' returning a;
update t set a[0] = 0 returning a;
update t set a[1:2] = '{7}';
insert into t (a[1], a[2]) values (5, 6) returning a;
update t set b[1] = 'z';
