"""Analysis of expressions agrees with PostgreSQL: result types or error, statement by statement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pgparse
import pytest

from pgemu.catalog.store import DirectStore
from pgemu.catalog.syscache import Catalog
from pgemu.catalog.template import build_template
from pgemu.errors import PgError
from pgemu.nodes import expr_type, expr_typmod
from pgemu.nodes.parsenodes import RawStmt
from pgemu.parser.analyze import parse_analyze

HERE = Path(__file__).parent
CASES = list(
    zip(
        (HERE / "expressions.sql").read_text().splitlines(),
        map(json.loads, (HERE / "expressions.out").read_text().splitlines()),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("template")
    build_template(folder)
    conn = apsw.Connection(str(folder / "base.db"))
    conn.execute("ATTACH ? AS g", (str(folder / "global.db"),))
    yield Catalog(DirectStore(conn))
    conn.close()


def analyze(catalog: Catalog, sql: str) -> dict[str, Any]:
    """What generate_expressions.py writes, from our analysis."""
    params: list[int] = []
    try:
        try:
            stmt = pgparse.parse(sql)[0]
        except pgparse.PGQueryError as error:
            raise PgError("42601", error.message, position=error.position) from None
        raw = RawStmt(stmt["stmt"], 0, 0)
        query = parse_analyze(raw, sql, catalog, params, variable_params=True)
        open_param = next((i for i, t in enumerate(params, 1) if t in (0, 705)), 0)
        if open_param:
            raise PgError("42P18", f"could not determine data type of parameter ${open_param}")
    except PgError as error:
        position = error.position
        if position is None and error.location is not None and error.location >= 0:
            position = error.location + 1
        return {
            "error": {
                "sqlstate": error.sqlstate,
                "message": error.message,
                "detail": error.detail,
                "hint": error.hint,
                "position": str(position) if position is not None else None,
            }
        }
    columns = [[expr_type(t.expr), expr_typmod(t.expr)] for t in query.target_list if not t.resjunk]
    return {"columns": columns, "params": params}


@pytest.mark.parametrize(("sql", "expected"), CASES, ids=[sql[:60] for sql, _ in CASES])
def test_agrees_with_postgresql(catalog: Catalog, sql: str, expected: dict[str, Any]) -> None:
    assert analyze(catalog, sql) == expected
