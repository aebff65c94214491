"""One test per spec of specs/: concurrent sessions answer as PostgreSQL 15's did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.isolation.runner import run_spec
from tests.isolation.spec import read_spec
from tests.regress.wire import Address

HERE = Path(__file__).parent
SPECS = sorted(path.stem for path in (HERE / "specs").glob("*.spec"))
XFAIL: dict[str, str] = {}
"""Spec -> why pgemu differs (strict)."""


@pytest.mark.parametrize("name", SPECS)
def test_spec(name: str, server_address: Address, request: pytest.FixtureRequest) -> None:
    if name in XFAIL and not request.config.getoption("--server-dsn"):
        request.applymarker(pytest.mark.xfail(reason=XFAIL[name], strict=True))
    expected = (HERE / "expected" / f"{name}.out").read_text(encoding="utf-8")
    found = run_spec(read_spec(HERE / "specs" / f"{name}.spec"), server_address, max_wait=15.0)
    assert found.text.split("\n") == expected.split("\n")
