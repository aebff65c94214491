"""Write pgemu/catalog/data/15/extension/NAME.tsv from a live PostgreSQL.

Usage: python tools/dump_extensions.py "host=127.0.0.1 port=5432 user=postgres" hstore citext ...

Each extension is installed into a new database made from template0; the catalog rows that it made
are written in the form of dump_catalogs.py, with the catalog's name before them.  OIDs from 16384
on stand for OIDs that CREATE EXTENSION assigns, 2200 in a namespace column for the extension's
schema.  The first line is the extension's control data.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg
from dump_catalogs import (
    FIRST_NORMAL_OID,
    INTEGER_ARRAYS,
    CatalogTable,
    Column,
    column_expression,
    escape,
    read_tables,
)
from psycopg import sql

FOLDER = Path(__file__).parent.parent / "pgemu" / "catalog" / "data" / "15" / "extension"
UNACCENT = Path(__file__).parent.parent / "pgemu" / "types" / "data" / "unaccent.tsv"
SCRATCH = "pgemu_dump_extensions"
NEW = f"oid >= {FIRST_NORMAL_OID}"

# The order of insertion, and which rows of a catalog an extension made: all that a new database
# has beyond those of initdb.
CATALOGS = {
    "pg_extension": NEW,
    "pg_proc": NEW,
    "pg_am": NEW,
    "pg_type": NEW,
    "pg_class": NEW,
    "pg_attribute": f"attrelid >= {FIRST_NORMAL_OID}",
    "pg_range": f"rngtypid >= {FIRST_NORMAL_OID}",
    "pg_operator": NEW,
    "pg_opfamily": NEW,
    "pg_opclass": NEW,
    "pg_amop": NEW,
    "pg_amproc": NEW,
    "pg_cast": NEW,
    "pg_aggregate": f"aggfnoid >= {FIRST_NORMAL_OID}::oid",
    "pg_ts_parser": NEW,
    "pg_ts_template": NEW,
    "pg_ts_dict": NEW,
    "pg_ts_config": NEW,
    "pg_ts_config_map": f"mapcfg >= {FIRST_NORMAL_OID}",
    "pg_description": f"objoid >= {FIRST_NORMAL_OID}",
    "pg_depend": f"objid >= {FIRST_NORMAL_OID}",
}
OID_TYPES = {"oid", "regproc"}

Rows = list[tuple[CatalogTable, list[str | None]]]


def read_rows(conn: psycopg.Connection[tuple[object, ...]]) -> Rows:
    tables = {t.name: t for t in read_tables(conn) if t.name in CATALOGS}
    found: Rows = []
    for name, where in CATALOGS.items():
        table = tables[name]
        expressions = ", ".join(column_expression(name, c) for c in table.columns)
        for row in conn.execute(
            f"SELECT {expressions} FROM pg_catalog.{name} WHERE {where} ORDER BY ctid"
        ).fetchall():
            found.append((table, [None if v is None else str(v) for v in row]))
    return found


def is_oid_array(column: Column) -> bool:
    return column.typname in ("oidvector", "_oid")


def renumbered(rows: Rows) -> list[str]:
    """The rows as lines, with OIDs that do not depend on what the server did before."""
    numbers: dict[int, int] = {}

    def number(text: str) -> str:
        oid = int(text)
        if oid < FIRST_NORMAL_OID:
            return text
        return str(numbers.setdefault(oid, FIRST_NORMAL_OID + len(numbers)))

    lines = []
    for table, fields in rows:
        shown: list[str | None] = []
        for column, text in zip(table.columns, fields, strict=True):
            if text is not None and column.typname in OID_TYPES:
                text = number(text)
            elif text is not None and is_oid_array(column):
                text = json.dumps(
                    [int(number(str(v))) for v in json.loads(text)], separators=(",", ":")
                )
            elif text is not None and (
                column.typname in INTEGER_ARRAYS or column.typname.startswith("_")
            ):
                text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
            shown.append(text)
        lines.append("\t".join([table.name, *(escape(f) for f in shown)]) + "\n")
    return lines


def control_line(conn: psycopg.Connection[tuple[object, ...]], name: str) -> str:
    row = conn.execute(
        "SELECT version, relocatable::int::text, superuser::int::text, trusted::int::text,"
        " schema::text, array_to_json(requires)::text, v.comment"
        " FROM pg_available_extension_versions v JOIN pg_available_extensions e USING (name)"
        " WHERE name = %s AND version = default_version",
        (name,),
    ).fetchone()
    if row is None:
        raise SystemExit(f"the server has no extension {name}")
    return "\t".join(["control", *(escape(None if f is None else str(f)) for f in row)]) + "\n"


def dump_extension(conninfo: str, name: str) -> None:
    with psycopg.connect(conninfo, dbname="postgres", autocommit=True) as admin:
        scratch = sql.Identifier(SCRATCH)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(scratch))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(scratch))
        try:
            with psycopg.connect(conninfo, dbname=SCRATCH) as conn:
                control = control_line(conn, name)
                required = json.loads(control.rstrip("\n").split("\t")[6].replace("\\N", "[]"))
                if required:
                    raise SystemExit(f"{name} requires {required}, which is not supported")
                conn.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name)))
                conn.execute("SET search_path = pg_catalog")
                lines = renumbered(read_rows(conn))
                if name == "unaccent":
                    dump_unaccent(conn)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {}").format(scratch))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.tsv").write_text(control + "".join(lines), encoding="utf-8", newline="\n")


def dump_unaccent(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """What unaccent() makes of each character, as code point and text."""
    rows = conn.execute(
        "SELECT i, public.unaccent(chr(i)) FROM generate_series(1, 131071) i"
        " WHERE i NOT BETWEEN 55296 AND 57343 AND public.unaccent(chr(i)) <> chr(i)"
    ).fetchall()
    UNACCENT.write_text("".join(f"{i}\t{t}\n" for i, t in rows), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    for extension in sys.argv[2:]:
        dump_extension(sys.argv[1], extension)
