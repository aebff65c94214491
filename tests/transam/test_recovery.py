"""Recovery of a dead backend and of a whole cluster, and the purger."""

from __future__ import annotations

from pathlib import Path

from pgemu.storage.procarray import XID, XMIN
from pgemu.transam.purge import purge
from pgemu.transam.recovery import recover_backend, recover_cluster
from tests.transam.two_sessions import TABLE, backends


def test_a_dead_backend_s_transaction_is_rolled_back(tmp_path: Path) -> None:
    with backends(tmp_path, 2) as (cluster, shm, a, b):
        a.insert(1, "x")
        a.begin()
        a.update(1, "y")
        with a.xact.write():
            a.xact.execute("CREATE TABLE main.r30000 (rid INTEGER PRIMARY KEY, xmin)")
            a.xact.drop_on_abort("main.r30000")
        a.close()
        for _ in range(2):  # it may be interrupted and run again
            recover_backend(cluster, shm, a.slot)
        assert b.rows() == [(1, "x")]
        assert a.slot.words[XID] == a.slot.words[XMIN] == 0
        for table in ("_active", "_undo", "_rowlock", "_pending"):
            assert b.count(f"main.{table}") == 0
        assert b.count("main.sqlite_schema WHERE name='r30000'") == 0


def test_a_backend_that_died_after_its_commit_is_not_rolled_back(tmp_path: Path) -> None:
    with backends(tmp_path, 3) as (cluster, shm, a, b, c):
        a.insert(1, "x")
        c.begin("repeatable read")
        assert c.rows() == [(1, "x")]
        a.begin()
        a.update(1, "y")
        xid = a.xact.xid
        a.xact.commit()
        a.slot.words[XID] = xid  # killed before it could clear the word; its undo is kept for c
        recover_backend(cluster, shm, a.slot)
        assert b.rows() == [(1, "y")]
        assert c.rows() == [(1, "x")]


def test_a_crashed_cluster_is_recovered(tmp_path: Path) -> None:
    with backends(tmp_path, 3) as (cluster, shm, a, b, c):
        a.insert(1, "x")
        for one, key in ((a, 2), (b, 3)):
            one.begin()
            one.insert(key, "open")
        highest = max(a.xact.xid, b.xact.xid)
        a.close()
        b.close()
        # a temporary table of a session that is no more
        c.conn.execute("INSERT INTO r2615 (c1, c2) VALUES (17000, 'pg_temp_3')")
        c.conn.execute("INSERT INTO r1259 (c1, c2, c3, c8) VALUES (17001, 't', 17000, 17001)")
        c.conn.execute("INSERT INTO r1249 (c1) VALUES (17001)")
        c.conn.execute("CREATE TABLE r17001 (rid INTEGER PRIMARY KEY, xmin)")
        shm.words[4] = 5  # as if the counters file had been lost
        for _ in range(2):
            recover_cluster(cluster, shm)
        assert c.rows() == [(1, "x")]
        assert shm.next_xid() > highest
        assert shm.next_oid() > 17001
        assert c.count("main.r1259") == c.count("main.r1249") == 0
        assert c.count("main.r2615") == 1
        assert c.count("main.sqlite_schema WHERE name='r17001'") == 0


def test_shared_catalogs_follow_the_database(tmp_path: Path) -> None:
    """Active in its database: rolled back in both files.  Only in global.db: it had committed."""
    with backends(tmp_path, 2) as (cluster, shm, a, b):

        def add_role(name: str) -> None:
            a.begin()
            with a.xact.write():
                a.xact.writes_to("g.r1260", 9)
                a.conn.execute("INSERT INTO g.r1260 (xmin, c1) VALUES (pg_xid(), ?)", (name,))

        add_role("lost")
        add_role_xid = a.xact.xid
        recover_backend(cluster, shm, a.slot)
        assert b.count("g.r1260") == 0 and b.count("g._gactive") == 0
        a.xact.registered = set()
        a.xact.rollback()
        add_role("kept")
        assert a.xact.xid > add_role_xid
        # killed between the two files of the commit
        b.conn.execute("DELETE FROM main._active")
        recover_backend(cluster, shm, a.slot)
        assert b.count("g.r1260") == 1 and b.count("g._gactive") == 0


def test_the_purger_keeps_what_a_snapshot_needs(tmp_path: Path) -> None:
    with backends(tmp_path, 2) as (cluster, shm, a, b):
        a.insert(1, "x")
        b.begin("repeatable read")
        assert b.rows() == [(1, "x")]
        a.update(1, "y")
        a.begin()
        a.update(1, "z")
        purge(cluster, shm)
        assert b.rows() == [(1, "x")]
        a.xact.commit()
        purge(cluster, shm)
        assert b.rows() == [(1, "x")]
        b.xact.commit()
        purge(cluster, shm)
        assert b.count("main._undo") == 0
        assert b.rows() == [(1, "z")]


def test_rollback_keeps_indexes_with_functions_right(tmp_path: Path) -> None:
    with backends(tmp_path, 2) as (cluster, shm, a, b):
        a.conn.create_scalar_function("abs_1397", lambda v: abs(v), 1, deterministic=True)
        b.conn.create_scalar_function("abs_1397", lambda v: abs(v), 1, deterministic=True)
        a.conn.execute(
            "INSERT INTO r1255 (c1, c2) VALUES (1397, 'abs');"
            "ALTER TABLE r1255 ADD COLUMN c13; ALTER TABLE r1255 ADD COLUMN c20;"
            "UPDATE r1255 SET c13=1, c20='[23]';"
            "INSERT INTO r1247 (c1, c2) VALUES (23, 'int4')"
        ).fetchall()
        a.conn.execute("CREATE INDEX main.i40000 ON r20000 (abs_1397(c1))")
        a.insert(-5, "x")
        a.begin()
        a.update(-5, "y")
        a.delete(-5)
        a.close()
        recover_backend(cluster, shm, a.slot)
        assert b.rows() == [(-5, "x")]
        found = b.conn.execute(f"SELECT c2 FROM {TABLE} WHERE abs_1397(c1)=5").fetchall()
        assert found == [("x",)]
        assert b.conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
