-- No row locks on the nullable side of an outer join
create table ret(id int, n int); insert into ret values (1,2),(2,3);
select r.id from ret r left join ret s on r.id=s.id order by 1 for update;
select r.id from ret r left join ret s on r.id=s.id order by 1 for update of r;
select r.id from ret r left join ret s on r.id=s.id order by 1 for share of s;
select r.id from ret r left join ret s on r.id=s.id where s.n > 0 order by 1 for update;
select r.id from ret r right join ret s on r.id=s.id order by 1 for no key update of r;
select r.id from ret r full join ret s on r.id=s.id order by 1 for key share of r;
select r.id from ret r left join (select * from ret for update) s on r.id=s.id order by 1;
select r.id from ret r left join (select * from ret) s on r.id=s.id order by 1 for update of s;
select r.id from ret r left join (ret s join ret t on s.id=t.id) on r.id=s.id where t.n is not null order by 1 for update of t;
