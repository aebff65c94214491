"""Settings of the start-up packet and of ALTER ROLE and ALTER DATABASE: whose are in force, and
that role and session_authorization among them need the same rights as SET."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.regress.wire import Address


@pytest.fixture
def roles(dsn: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection; stored_z, who is a member of stored_m, may log in."""
    with psycopg.connect(dsn, autocommit=True) as boss:
        boss.execute("create role stored_m")
        boss.execute("create role stored_z login in role stored_m")
        yield boss
        boss.execute("drop role stored_z, stored_m")


def login(address: Address, **more: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address.dsn, user="stored_z", **more) as connection:
        sql = "select current_user, session_user, current_setting('is_superuser')"
        return connection.execute(sql).fetchall()


def test_the_packet_needs_the_rights_of_set(
    roles: psycopg.Connection[tuple[object, ...]], database: Address
) -> None:
    boss = roles.execute("select session_user").fetchall()[0][0]
    with pytest.raises(psycopg.OperationalError, match=f'permission denied to set role "{boss}"'):
        login(database, options=f"-c role={boss}")
    with pytest.raises(psycopg.OperationalError, match="permission denied to set session auth"):
        login(database, options=f"-c session_authorization={boss}")
    with pytest.raises(psycopg.OperationalError, match='role "nosuch" does not exist'):
        login(database, options="-c role=nosuch")
    assert login(database, options="-c role=stored_m") == [("stored_m", "stored_z", "off")]


def test_a_stored_role_is_a_warning_to_who_may_not(
    roles: psycopg.Connection[tuple[object, ...]], database: Address
) -> None:
    boss = roles.execute("select session_user").fetchall()[0][0]
    roles.execute(f"alter role stored_z set role = {boss}")
    assert login(database) == [("stored_z", "stored_z", "off")]
    roles.execute("alter role stored_z set role = stored_m")
    assert login(database) == [("stored_m", "stored_z", "off")]


def test_sources_and_their_order(
    roles: psycopg.Connection[tuple[object, ...]], database: Address
) -> None:
    name = roles.info.dbname
    roles.execute(f"alter database {name} set work_mem = '1MB'")
    roles.execute(f"alter database {name} set maintenance_work_mem = '2MB'")
    roles.execute("alter role stored_z set work_mem = '3MB'")
    roles.execute("alter role stored_z set temp_buffers = '4MB'")
    roles.execute(f"alter role stored_z in database {name} set temp_buffers = '5MB'")
    with psycopg.connect(
        database.dsn, user="stored_z", options="-c hash_mem_multiplier=3"
    ) as connection:
        rows = connection.execute(
            "select name, setting, source from pg_settings where name in ('work_mem',"
            " 'maintenance_work_mem', 'temp_buffers', 'hash_mem_multiplier') order by name"
        ).fetchall()
    assert rows == [
        ("hash_mem_multiplier", "3", "client"),
        ("maintenance_work_mem", "2048", "database"),
        ("temp_buffers", "640", "database user"),
        ("work_mem", "3072", "user"),
    ]
