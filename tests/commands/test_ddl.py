"""DDL answers (tags, notices, errors) are PostgreSQL's: ddl.sql against ddl.expected."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pgemu.tcop.everything  # noqa: F401
from pgemu.catalog.template import build_template
from pgemu.commands.utility import process_utility
from pgemu.errors import PgError
from pgemu.executor.session import Session
from pgemu.guc import Settings
from pgemu.storage.cluster import Cluster
from pgemu.storage.shmem import SharedMemory
from tests.commands.ddl_cases import FOLDER, answer, statements


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Any]:
    template = str(tmp_path / "template")
    build_template(template)
    cluster = Cluster.create_ephemeral(template)
    shm = SharedMemory.create(cluster.shm_path, 20)
    slot = shm.procarray.claim_slot(os.getpid())
    made = Session(cluster, shm, slot, cluster.database_oids()[-1], Settings())
    yield made
    made.close()
    cluster.close()


def _answer(session: Any, sql: str) -> str:
    session.notices.clear()
    error = None
    tag = None
    try:
        for raw in session.parse(sql):
            query = session.analyze(raw, sql)
            if query.command_type == "utility":
                tag = process_utility(session, query, sql).tag
            else:
                result = session.run(query)
                list(result.rows or ())
                tag = result.tag
    except PgError as found:
        error = (found.sqlstate, found.message, found.detail, found.hint)
    notices = [f"{n.severity}: {n.message}" for n in session.notices if n.severity != "DEBUG1"]
    return answer(tag, error, notices)


def test_answers(session: Any) -> None:
    lines = (FOLDER / "ddl.expected").read_text().splitlines()
    expected = [json.loads(line) for line in lines]
    assert [pair[0] for pair in expected] == statements(), "record ddl.expected anew"
    different = []
    for sql, wanted in expected:
        got = _answer(session, sql)
        if got != wanted:
            different.append(f"{sql}\n--- PostgreSQL\n{wanted}\n--- pgemu\n{got}")
    assert not different, "\n\n".join(different)
