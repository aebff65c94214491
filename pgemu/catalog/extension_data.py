"""What the extensions consist of: their control data and the catalog rows that they add.

Counterpart of PostgreSQL's control files and scripts.  An extension is a file of catalog rows
(data/15/extension, written by tools/dump_extensions.py); installing it inserts these rows under new
OIDs.  The bodies of its functions are in pgemu/types under the signatures of the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from pgemu.catalog.rows import CATALOGS, PG_NAMESPACE_RELID, PgDepend, PgExtension
from pgemu.catalog.syscache import row_from_storage
from pgemu.catalog.template import DATA, is_integer, unescape

FOLDER = DATA / "extension"
FIRST_NORMAL_OID = 16384
PUBLIC_NAMESPACE = 2200  # stands for the extension's schema
BOOTSTRAP_OWNER = 10


class Control(NamedTuple):
    """The control data of an extension's default version (pg_available_extension_versions)."""

    name: str
    version: str
    relocatable: bool
    superuser: bool
    trusted: bool
    schema: str | None
    comment: str


PLPGSQL = Control("plpgsql", "1.0", False, True, True, "pg_catalog", "PL/pgSQL procedural language")


@lru_cache(maxsize=1)
def extension_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.tsv")))


@lru_cache(maxsize=8)
def _lines(name: str) -> tuple[list[str | None], ...]:
    text = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8")
    return tuple([unescape(f) for f in line.split("\t")] for line in text.splitlines())


def read_control(name: str) -> Control | None:
    """The control data, or None if there is no such extension."""
    if name == PLPGSQL.name:
        return PLPGSQL
    if name not in extension_names():
        return None
    _, version, relocatable, superuser, trusted, schema, _requires, comment = _lines(name)[0]
    return Control(
        name,
        version or "",
        relocatable == "1",
        superuser == "1",
        trusted == "1",
        schema,
        comment or "",
    )


def available() -> Iterator[Control]:
    """Every extension that can be installed."""
    for name in sorted((*extension_names(), PLPGSQL.name)):
        control = read_control(name)
        if control is not None:
            yield control


_BY_NAME = {info.name: cls for cls, info in CATALOGS.items()}


def extension_rows(
    name: str, new_oid: Callable[[], int], namespace: int, user: int, script_owner: int
) -> list[Any]:
    """The rows of an extension under new OIDs.  user owns the extension, script_owner what its
    script makes."""
    numbers: dict[int, int] = {}

    def number(oid: int) -> int:
        if oid < FIRST_NORMAL_OID:
            return oid
        found = numbers.get(oid)
        if found is None:
            found = numbers[oid] = new_oid()
        return found

    rows: list[Any] = []
    for fields in _lines(name)[1:]:
        cls = _BY_NAME[str(fields[0])]
        owner = user if cls is PgExtension else script_owner
        values: list[Any] = list(fields[1:])
        for i, column in enumerate(CATALOGS[cls].columns):
            value = values[i]
            if value is None:
                continue
            if column.typname in ("oidvector", "_oid"):
                values[i] = json.dumps([number(v) for v in json.loads(value)]).replace(" ", "")
            elif is_integer(column.typname):
                values[i] = int(value)
                if column.typname in ("oid", "regproc"):
                    values[i] = number(values[i])
                if column.name.endswith("namespace") and values[i] == PUBLIC_NAMESPACE:
                    values[i] = namespace
                elif column.name.endswith("owner"):
                    values[i] = owner
            elif column.typname == "float4":
                values[i] = float(value)
        row = row_from_storage(cls, tuple(values))
        rows.append(_in_schema(row, namespace) if cls is PgDepend else row)
    return rows


def _in_schema(row: Any, namespace: int) -> Any:
    if row.refclassid == PG_NAMESPACE_RELID and row.refobjid == PUBLIC_NAMESPACE:
        return row._replace(refobjid=namespace)
    return row
