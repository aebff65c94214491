-- LISTEN and NOTIFY
listen ch;
notify ch, 'hello';
begin;
notify ch, 'one';
notify ch, 'one';
notify ch, 'two';
commit;
begin;
notify ch, 'lost';
rollback;
select 1;
select pg_notify('ch', 'fn');
select pg_listening_channels();
unlisten ch;
notify ch, 'nobody';
select pg_notify('', 'x');
select pg_notify('ch', repeat('x', 8000));
