"""Deparsing undoes analysis: the definition of every system view comes back unchanged."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from pgemu.catalog.rows import PgClass
from pgemu.catalog.store import DirectStore
from pgemu.catalog.syscache import Catalog
from pgemu.catalog.template import build_template
from pgemu.parser.analyze import parse_analyze
from pgemu.parser.parser import raw_parser
from pgemu.rewrite.rewrite_handler import query_rewrite
from pgemu.rewrite.ruleutils_query import get_query_def

# the name of an unnamed column of a UNION's later member is not in the text it came from
NAME_LOST = {
    "column_privileges",
    "routine_privileges",
    "table_privileges",
    "udt_privileges",
    "usage_privileges",
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("template")
    build_template(folder)
    conn = apsw.Connection(str(folder / "base.db"))
    conn.execute("ATTACH ? AS g", (str(folder / "global.db"),))
    made = Catalog(DirectStore(conn))
    made.analyze_sql = lambda _kind, text, _relid: parse_analyze(raw_parser(text)[0], text, made)
    yield made
    conn.close()


def test_every_view_comes_back(catalog: Catalog) -> None:
    different = []
    for row in catalog.all(PgClass, relkind="v"):
        relation = catalog.relation(row.oid)
        names = [a.attname for a in relation.attrs]
        stored = next(r.ev_action for r in relation.rules if r.ev_type == "1")
        query = relation.view_query
        text = get_query_def(catalog, query, [], names, True, 2, 0, 0, varprefix=True)
        if f"{text};".strip() != stored.removeprefix("SQL:").strip():
            different.append(row.relname)
    assert set(different) <= NAME_LOST


def test_every_view_can_be_expanded(catalog: Catalog) -> None:
    for row in catalog.all(PgClass, relkind="v"):
        sql = f"SELECT * FROM {catalog.relation(row.oid).schema_name}.{row.relname}"
        (query,) = query_rewrite(parse_analyze(raw_parser(sql)[0], sql, catalog), catalog)
        assert query.rtable[0].rtekind == "subquery"
