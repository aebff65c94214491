"""PL/pgSQL, DO, CALL and triggers: what the server answers must be what PostgreSQL 15 answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.regress.case_file import read_case
from tests.regress.transcript import run_case
from tests.regress.wire import Address

HERE = Path(__file__).parent
SQL, EXPECTED = HERE / "sql", HERE / "expected"
CASES = sorted(path.stem for path in SQL.glob("*.sql"))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, server_address: Address) -> None:
    case = read_case(SQL / f"{name}.sql")
    expected = (EXPECTED / f"{name}.out").read_text(encoding="utf-8")
    assert run_case(case, server_address).split("\n") == expected.split("\n")


def test_every_expected_file_has_its_case() -> None:
    assert {path.stem for path in EXPECTED.glob("*.out")} == set(CASES)
