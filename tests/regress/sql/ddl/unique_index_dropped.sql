-- A unique index that the transaction drops refuses nothing any more; a rollback brings it back
create table du (a int primary key, b int constraint du_b unique, c text);
create unique index du_c on du (lower(c));
insert into du values (1, 1, 'x'), (2, 2, 'y');
begin;
drop index du_c;
insert into du values (3, 3, 'X');
alter table du drop constraint du_b;
insert into du values (4, 1, 'z');
savepoint s;
alter table du drop constraint du_pkey;
insert into du values (1, 5, 'w');
select * from du order by a, b;
rollback to s;
insert into du values (1, 5, 'w');
rollback to s;
insert into du values (5, 1, 'y');
select * from du order by a, b;
rollback;
insert into du values (3, 3, 'X');
insert into du values (3, 1, 'X');
insert into du values (1, 3, 'X');
select * from du order by a, b;
begin;
drop index du_c;
insert into du values (3, 3, 'X');
commit;
create unique index du_c on du (lower(c));
delete from du where a = 3;
create unique index du_c on du (lower(c));
insert into du values (3, 3, 'X');
do $$
begin
  begin
    drop index du_c;
    insert into du values (3, 3, 'X');
    raise exception 'back';
  exception when raise_exception then raise notice 'caught';
  end;
  insert into du values (3, 3, 'X');
end $$;
do $$
begin
  drop index du_c;
  insert into du values (3, 3, 'X');
end $$;
select * from du order by a, b;
-- an index that was made in the transaction
begin;
create table dv (a int, b int);
insert into dv values (1, 1);
create unique index dv_a on dv (a);
savepoint s;
drop index dv_a;
insert into dv values (1, 2);
rollback to s;
insert into dv values (1, 2);
rollback to s;
drop index dv_a;
insert into dv values (1, 2);
create unique index dv_b on dv (b);
commit;
insert into dv values (1, 2);
-- replaced
begin;
alter table dv alter b type bigint;
insert into dv values (1, 2);
rollback;
insert into dv values (2, 2);
begin;
reindex table dv;
insert into dv values (2, 2);
rollback;
insert into dv values (2, 2);
truncate dv;
begin;
drop index dv_b;
insert into dv values (2, 2), (2,2);
rollback;
insert into dv values (2, 2);
insert into dv values (2, 2);
-- on conflict after the drop
begin;
insert into dv values (2, 2) on conflict (b) do nothing;
drop index dv_b;
insert into dv values (2, 2) on conflict do nothing;
insert into dv values (2, 2) on conflict (b) do nothing;
rollback;
drop table du, dv;
