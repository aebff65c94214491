"""One test per file of sql/: what the server answers must be what PostgreSQL 15 answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgemu.types.icu import has_icu
from tests.regress.case_file import read_case
from tests.regress.transcript import run_case
from tests.regress.wire import Address

HERE = Path(__file__).parent
SQL, EXPECTED = HERE / "sql", HERE / "expected"
CASES = sorted(path.relative_to(SQL).with_suffix("").as_posix() for path in SQL.rglob("*.sql"))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, server_address: Address, request: pytest.FixtureRequest) -> None:
    if "icu" in name.rpartition("/")[2].split("_") and not has_icu():
        pytest.skip("the ICU library is not installed")
    case = read_case(SQL / f"{name}.sql")
    if case.xfail and not request.config.getoption("--server-dsn"):
        request.applymarker(pytest.mark.xfail(reason=case.xfail, strict=True))
    expected = (EXPECTED / f"{name}.out").read_text(encoding="utf-8")
    assert run_case(case, server_address).split("\n") == expected.split("\n")


def test_every_expected_file_has_its_case() -> None:
    have = {
        path.relative_to(EXPECTED).with_suffix("").as_posix() for path in EXPECTED.rglob("*.out")
    }
    assert have == set(CASES)
