"""Analysis of whole statements agrees with PostgreSQL: columns with their origin, or the error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from pgemu.catalog.store import DirectStore
from pgemu.catalog.syscache import Catalog
from pgemu.catalog.template import build_template
from pgemu.errors import PgError
from pgemu.nodes import expr_type, expr_typmod
from pgemu.parser.analyze import parse_analyze
from pgemu.parser.parse_cache import get_base_type
from pgemu.parser.parser import raw_parser

HERE = Path(__file__).parent


def cases(stem: str) -> list[tuple[str, dict[str, Any]]]:
    statements = (HERE / f"{stem}.sql").read_text().splitlines()
    expected = map(json.loads, (HERE / f"{stem}.out").read_text().splitlines())
    return list(zip(statements, expected, strict=True))


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("template")
    build_template(folder)
    conn = apsw.Connection(str(folder / "base.db"))
    conn.execute("ATTACH ? AS g", (str(folder / "global.db"),))
    yield Catalog(DirectStore(conn))
    conn.close()


def analyze(catalog: Catalog, sql: str) -> dict[str, Any]:
    """What generate_statements.py writes, from our analysis."""
    columns: list[list[Any]] = []
    try:
        for raw in raw_parser(sql):
            query = parse_analyze(raw, sql, catalog, variable_params=True)
            if query.command_type != "utility":
                select = query.command_type == "select"
                targets = query.target_list if select else query.returning_list
                columns = [
                    [
                        t.resname,
                        get_base_type(catalog, expr_type(t.expr)),
                        expr_typmod(t.expr),
                        t.resorigtbl,
                        t.resorigcol,
                    ]
                    for t in targets
                    if not t.resjunk
                ]
    except PgError as error:
        position = error.position
        if position is None and error.location is not None and error.location >= 0:
            position = len(sql.encode()[: error.location].decode()) + 1
        return {
            "error": {
                "sqlstate": error.sqlstate,
                "message": error.message,
                "detail": error.detail,
                "hint": error.hint,
                "position": str(position) if position is not None else None,
            }
        }
    return {"columns": columns}


ALL = cases("statements") + cases("syntax")


@pytest.mark.parametrize(("sql", "expected"), ALL, ids=[sql[:70] for sql, _ in ALL])
def test_agrees_with_postgresql(catalog: Catalog, sql: str, expected: dict[str, Any]) -> None:
    assert analyze(catalog, sql) == expected
