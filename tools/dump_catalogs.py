"""Write pgemu/catalog/data/15/*.tsv and pgemu/catalog/rows.py from a live PostgreSQL.

Usage: python tools/dump_catalogs.py "host=127.0.0.1 port=5432 user=postgres"

A new database is made from template0, so that what is dumped is what initdb made.  Every value is
written as pgemu stores it: bool 0/1, arrays and vectors as JSON, reg* as OIDs, NULL as \\N.
pg_node_tree columns become SQL text with the prefix "SQL:".
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

PACKAGE = Path(__file__).parent.parent / "pgemu" / "catalog"
SCRATCH = "pgemu_dump_catalogs"
FIRST_NORMAL_OID = 16384

# ICU has some 800 locales, most of them of no use to an emulator; these names stay.
COLLATIONS = r"""collprovider <> 'i' OR collname ~ '^[a-z]{2,3}-x-icu$' OR collname IN (
    'en-US-x-icu', 'en-GB-x-icu', 'de-DE-x-icu', 'de-AT-x-icu', 'fr-FR-x-icu', 'fr-CA-x-icu',
    'es-ES-x-icu', 'it-IT-x-icu', 'pt-BR-x-icu', 'sv-SE-x-icu', 'tr-TR-x-icu', 'ru-RU-x-icu',
    'ja-JP-x-icu', 'nl-NL-x-icu', 'pl-PL-x-icu', 'cs-CZ-x-icu')"""

FILTERS = {
    "pg_collation": COLLATIONS,
    "pg_description": "classoid <> 'pg_collation'::regclass OR objoid IN"
    f" (SELECT oid FROM pg_collation WHERE {COLLATIONS})",
    "pg_database": f"oid < {FIRST_NORMAL_OID}",
    "pg_authid": f"oid < {FIRST_NORMAL_OID}",
    "pg_auth_members": f"roleid < {FIRST_NORMAL_OID} AND member < {FIRST_NORMAL_OID}",
    "pg_tablespace": f"oid < {FIRST_NORMAL_OID}",
    "pg_shdepend": "false",
    "pg_shdescription": f"objoid < {FIRST_NORMAL_OID}",
    "pg_db_role_setting": "false",
    "pg_parameter_acl": "false",
    "pg_subscription": "false",
    "pg_replication_origin": "false",
    "pg_shseclabel": "false",
    "pg_statistic": "false",
}

# How the SQL text of a pg_node_tree column is asked for.
NODE_TREES = {
    ("pg_rewrite", "ev_action"): (
        "'SQL:' || CASE ev_type WHEN '1' THEN pg_get_viewdef(ev_class) ELSE pg_get_ruledef(oid) END"
    ),
    ("pg_rewrite", "ev_qual"): "'<>'",
    ("pg_proc", "proargdefaults"): "'SQL:' || pg_get_expr(proargdefaults, 0)",
    # the body of one SELECT as the expression that it amounts to
    ("pg_proc", "prosqlbody"): "'SQL:' || CASE WHEN proretset THEN pg_get_function_sqlbody(oid) "
    "ELSE regexp_replace(pg_get_function_sqlbody(oid), '^BEGIN ATOMIC\\n (.*);\\nEND$', "
    "'RETURN (\\1)') END",
    ("pg_type", "typdefaultbin"): "'SQL:' || pg_get_expr(typdefaultbin, 0)",
    ("pg_constraint", "conbin"): "'SQL:' || pg_get_expr(conbin, conrelid)",
    ("pg_attrdef", "adbin"): "'SQL:' || pg_get_expr(adbin, adrelid)",
    ("pg_index", "indexprs"): "'SQL:' || pg_get_expr(indexprs, indrelid)",
    ("pg_index", "indpred"): "'SQL:' || pg_get_expr(indpred, indrelid)",
}

INTEGER_TYPES = {"int2", "int4", "int8", "oid", "xid", "cid"}
INTEGER_ARRAYS = {"int2vector": "int2[]", "oidvector": "oid[]", "_int2": "int2[]", "_oid": "oid[]"}


@dataclass(frozen=True)
class Column:
    name: str
    typname: str
    notnull: bool

    @property
    def python_type(self) -> str:
        base = {"bool": "bool", "float4": "float", "bytea": "bytes", "timestamptz": "int"}.get(
            self.typname
        )
        if base is None:
            if self.typname in INTEGER_TYPES or self.typname.startswith("reg"):
                base = "int"
            elif self.typname in INTEGER_ARRAYS:
                base = "tuple[int, ...]"
            elif self.typname == "_float4":
                base = "tuple[float, ...]"
            elif self.typname == "anyarray":
                base = "str"
            elif self.typname.startswith("_"):
                base = "tuple[str, ...]"
            else:
                base = "str"
        return base if self.notnull else f"{base} | None"


@dataclass(frozen=True)
class CatalogTable:
    oid: int
    name: str
    schema: str
    shared: bool
    columns: tuple[Column, ...]
    indexes: tuple[tuple[int, str, bool, tuple[int, ...]], ...]

    @property
    def class_name(self) -> str:
        return "".join(part.capitalize() for part in self.name.split("_"))


def read_tables(conn: psycopg.Connection[tuple[object, ...]]) -> list[CatalogTable]:
    tables = []
    for oid, name, schema, shared in conn.execute(
        "SELECT c.oid::int, relname::text, nspname::text, relisshared FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind = 'r' AND nspname IN ('pg_catalog', 'information_schema')"
        " ORDER BY nspname DESC, relname"
    ).fetchall():
        columns = conn.execute(
            "SELECT attname::text, CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END"
            "::text, attnotnull FROM pg_attribute JOIN pg_type t ON t.oid = atttypid"
            " LEFT JOIN pg_type b ON b.oid = t.typbasetype"
            " WHERE attrelid = %s AND attnum > 0 ORDER BY attnum",
            (oid,),
        ).fetchall()
        indexes = conn.execute(
            "SELECT indexrelid::int, relname::text, indisunique, indkey::int2[]"
            " FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = %s"
            " ORDER BY indisprimary DESC, indexrelid",
            (oid,),
        ).fetchall()
        tables.append(
            CatalogTable(
                int(str(oid)),
                str(name),
                str(schema),
                bool(shared),
                tuple(Column(str(n), str(t), bool(nn)) for n, t, nn in columns),
                tuple((i, n, u, tuple(k)) for i, n, u, k in indexes),  # type: ignore[arg-type, misc]
            )
        )
    return tables


def column_expression(table: str, column: Column) -> str:
    name = f'"{column.name}"'
    kind = column.typname
    if (table, column.name) in NODE_TREES:
        return NODE_TREES[table, column.name]
    if (table, column.name) == ("pg_authid", "rolpassword"):
        return "NULL"
    if kind == "bool":
        return f"{name}::int::text"
    if kind in INTEGER_ARRAYS:
        return f"array_to_json({name}::{INTEGER_ARRAYS[kind]}::int8[])::text"
    if kind == "_float4":
        return f"array_to_json({name})::text"
    if kind.startswith("_"):
        return f"array_to_json({name}::text[])::text"
    if kind.startswith("reg"):
        return f"{name}::oid::text"
    return f"{name}::text"


def escape(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def dump_table(conn: psycopg.Connection[tuple[object, ...]], table: CatalogTable) -> None:
    expressions = ", ".join(column_expression(table.name, c) for c in table.columns)
    where = FILTERS.get(table.name, "true")
    rows = conn.execute(
        f"SELECT {expressions} FROM {table.schema}.{table.name} WHERE {where} ORDER BY ctid"
    ).fetchall()
    path = PACKAGE / "data" / "15" / f"{table.name}.tsv"
    lines = []
    for row in rows:
        fields = [str(v) if v is not None else None for v in row]
        for i, column in enumerate(table.columns):
            text = fields[i]
            if text is not None and (column.typname in INTEGER_ARRAYS or column.typname[0] == "_"):
                fields[i] = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        lines.append("\t".join(escape(f) for f in fields) + "\n")
    if lines:
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    else:
        path.unlink(missing_ok=True)


def dump_keywords(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Keywords and their categories: what quote_identifier and pg_get_keywords need."""
    rows = conn.execute(
        "SELECT word, catcode::text, barelabel::int::text, catdesc, baredesc FROM pg_get_keywords()"
    ).fetchall()
    path = PACKAGE / "data" / "15" / "keywords.tsv"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def dump_foreign_keys(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Which catalog columns refer to which: what pg_get_catalog_foreign_keys needs."""
    rows = conn.execute(
        "SELECT fktable::oid, fkcols::text, pktable::oid, pkcols::text, is_array, is_opt"
        " FROM pg_get_catalog_foreign_keys()"
    ).fetchall()
    path = PACKAGE / "data" / "15" / "foreign_keys.tsv"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


ROWS_HEAD = '''"""The rows of the system catalogs as typed tuples: one NamedTuple per catalog.

Counterpart of PostgreSQL's include/catalog/pg_*.h.  Written by tools/dump_catalogs.py from a live
server: never edit by hand.  bool columns are Python bool, arrays and vectors are tuples, NULL is
None.  `CATALOGS` says what the NamedTuple cannot: where and how the rows are stored.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self


class RelationId:
    """The class constant RELID; a descriptor, because a NamedTuple may not have attributes."""

    def __init__(self, relid: int) -> None:
        self.relid = relid

    def __call__(self, method: Callable[..., Any]) -> RelationId:
        return self

    def __get__(self, instance: object, owner: type[Any]) -> int:
        return self.relid


class CatalogColumn(NamedTuple):
    """One column: typname is pg_type.typname (the base type of a domain)."""

    name: str
    typname: str
    notnull: bool


class CatalogIndex(NamedTuple):
    """One index of a catalog; keys are attribute numbers."""

    oid: int
    name: str
    unique: bool
    keys: tuple[int, ...]


class CatalogInfo(NamedTuple):
    """What is known of a catalog table; its physical name is r<relid>."""

    relid: int
    name: str
    schema: str
    shared: bool
    columns: tuple[CatalogColumn, ...]
    indexes: tuple[CatalogIndex, ...]


class CatalogRow(tuple[Any, ...]):
    """Base of the row classes: a named tuple that costs a fraction of typing.NamedTuple to make
    (there are 65 of them on the way to the first answer).  Annotations are the fields, in order;
    values of class attributes are their defaults."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _field_defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        names = tuple(cls.__annotations__)
        cls._fields = names
        cls._field_defaults = {n: cls.__dict__[n] for n in names if n in cls.__dict__}
        for number, name in enumerate(names):
            setattr(cls, name, _tuplegetter(number, name))

    def __new__(cls, *args: Any, **named: Any) -> Self:
        if named or len(args) != len(cls._fields):
            if not args and len(named) == len(cls._fields):
                try:
                    return tuple.__new__(cls, [named[name] for name in cls._fields])
                except KeyError:
                    pass
            given = dict(zip(cls._fields, args, strict=False))
            if len(args) > len(cls._fields) or not named.keys() <= set(cls._fields[len(args):]):
                raise TypeError(f"wrong fields for {cls.__name__}: {args} {named}")
            every = {**cls._field_defaults, **given, **named}
            args = tuple(every[name] for name in cls._fields)
        return tuple.__new__(cls, args)

    def _replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**self._asdict(), **changes})

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({shown})"
'''


def write_rows(tables: list[CatalogTable]) -> None:
    out = [ROWS_HEAD]
    for table in tables:
        out.append(f"\nclass {table.class_name}(CatalogRow):\n")
        out.append(
            f'    """A row of {table.schema}.{table.name} (pg_class OID {table.oid})."""\n\n'
        )
        trailing = len(table.columns)
        while trailing and not table.columns[trailing - 1].notnull:
            trailing -= 1
        for i, column in enumerate(table.columns):
            default = " = None" if i >= trailing else ""
            out.append(f"    {column.name}: {column.python_type}{default}\n")
        out.append(f"\n    @RelationId({table.oid})\n    def RELID(self) -> None: ...\n\n")
    out.append("\nCATALOGS: dict[type[Any], CatalogInfo] = {\n")
    for table in tables:
        out.append(f"    {table.class_name}: CatalogInfo(\n        {table.oid},\n")
        out.append(f'        "{table.name}",\n        "{table.schema}",\n        {table.shared},\n')
        out.append("        (\n")
        for column in table.columns:
            out.append(
                f'            CatalogColumn("{column.name}", "{column.typname}",'
                f" {column.notnull}),\n"
            )
        out.append("        ),\n        (\n")
        for oid, name, unique, keys in table.indexes:
            out.append(f'            CatalogIndex({oid}, "{name}", {unique}, {keys!r}),\n')
        out.append("        ),\n    ),\n")
    out.append("}\n\n# Catalogs by pg_class OID.\n")
    out.append("CATALOG_BY_RELID: dict[int, type[Any]] = {\n")
    out.append("    info.relid: cls for cls, info in CATALOGS.items()\n}\n\n")
    for table in tables:
        out.append(f"{table.name.upper()}_RELID = {table.oid}\n")
    (PACKAGE / "rows.py").write_text("".join(out), encoding="utf-8")


def main(conninfo: str) -> None:
    with psycopg.connect(conninfo, dbname="postgres", autocommit=True) as admin:
        name = sql.Identifier(SCRATCH)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        try:
            with psycopg.connect(conninfo, dbname=SCRATCH, row_factory=tuple_row) as conn:
                conn.execute("SET search_path = pg_catalog")
                tables = read_tables(conn)
                for table in tables:
                    dump_table(conn, table)
                dump_keywords(conn)
                dump_foreign_keys(conn)
                write_rows(tables)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {}").format(name))


if __name__ == "__main__":
    main(sys.argv[1])
