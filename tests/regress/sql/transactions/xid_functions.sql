-- Transaction ids and snapshots behave, timestamps stand still in a transaction
select txid_current_if_assigned() is null, pg_current_xact_id() is not null;
begin;
select txid_current_if_assigned() is null;
select now() = statement_timestamp(), now() = transaction_timestamp(), now() <= clock_timestamp();
select now() = current_timestamp, current_date = now()::date, localtimestamp = now()::timestamp;
create table t (a int);
insert into t values (1);
select xmin::text = txid_current()::text as same from t;
select txid_status(txid_current()), pg_visible_in_snapshot(pg_current_xact_id(), pg_current_snapshot());
commit;
select pg_backend_pid() > 0, pg_is_in_recovery();
