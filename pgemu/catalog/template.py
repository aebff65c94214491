"""The template database: base.db and global.db as initdb would leave them.

Counterpart of PostgreSQL's initdb and bootstrap.  The rows come from data/<version>/*.tsv, which
tools/dump_catalogs.py wrote.  Only those indexes are made that lookups need: every backend parses
the whole SQLite schema when it opens the file.  None of them is UNIQUE, because a rolled back
DROP must be able to put its row back beside a new one of the same name.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw

from pgemu.catalog import rows as r
from pgemu.catalog.rows import CATALOGS, CatalogInfo

DATA = Path(__file__).parent / "data" / "15"
BOOTSTRAP_XID = 1

# Column names of the indexes to make, per catalog.
INDEXES: dict[type[Any], tuple[tuple[str, ...], ...]] = {
    r.PgAggregate: (("aggfnoid",),),
    r.PgAmop: (("amopfamily",), ("amopopr",)),
    r.PgAmproc: (("amprocfamily",),),
    r.PgAttrdef: (("adrelid",), ("oid",)),
    r.PgAttribute: (("attrelid", "attnum"),),
    r.PgCast: (("castsource", "casttarget"), ("casttarget",)),
    r.PgClass: (("oid",), ("relname",), ("reltype",)),
    r.PgCollation: (("oid",), ("collname",)),
    r.PgConstraint: (("oid",), ("conrelid",), ("contypid",), ("confrelid",), ("conindid",)),
    r.PgConversion: (("conname",),),
    r.PgDepend: (("objid", "classid"), ("refobjid", "refclassid")),
    r.PgDescription: (("objoid", "classoid"),),
    r.PgEnum: (("enumtypid",), ("oid",)),
    r.PgIndex: (("indexrelid",), ("indrelid",)),
    r.PgInherits: (("inhrelid",), ("inhparent",)),
    r.PgNamespace: (("oid",), ("nspname",)),
    r.PgOpclass: (("oid",), ("opcfamily",), ("opcintype",)),
    r.PgOperator: (("oid",), ("oprname",)),
    r.PgOpfamily: (("oid",),),
    r.PgProc: (("oid",), ("proname",)),
    r.PgRange: (("rngtypid",),),
    r.PgRewrite: (("ev_class",), ("oid",)),
    r.PgSequence: (("seqrelid",),),
    r.PgShdepend: (("objid",), ("refobjid",)),
    r.PgTrigger: (("tgrelid",), ("oid",), ("tgconstraint",)),
    r.PgTsConfigMap: (("mapcfg",),),
    r.PgType: (("oid",), ("typname",), ("typarray",), ("typelem",)),
    r.PgLargeobject: (("loid", "pageno"),),
}

_UNESCAPE = {"t": "\t", "n": "\n", "\\": "\\"}
_INTEGER_TYPES = {"int2", "int4", "int8", "oid", "xid", "cid", "bool"}


def unescape(field: str) -> str | None:
    r"""One field of a data file: \N is NULL; \t, \n and \\ stand for themselves."""
    if field == "\\N":
        return None
    parts = field.split("\\")
    out = [parts[0]]
    i = 1
    while i < len(parts):
        part = parts[i]
        if part:
            out.append(_UNESCAPE[part[0]] + part[1:])
        else:  # an escaped backslash: the next part follows it as it is
            out.append("\\")
            i += 1
            if i < len(parts):
                out.append(parts[i])
        i += 1
    return "".join(out)


def is_integer(typname: str) -> bool:
    """Does SQLite see an INTEGER in a catalog column of this type?"""
    return typname in _INTEGER_TYPES or typname.startswith("reg")


def column_collation(typname: str) -> str | None:
    """The SQLite collation that a catalog column of this type declares."""
    if typname.startswith("_") or typname in ("int2vector", "oidvector", "anyarray"):
        return "array_ops"
    return None


def read_data(info: CatalogInfo) -> list[tuple[Any, ...]]:
    """The rows of a catalog after initdb, as storage values."""
    path = DATA / f"{info.name}.tsv"
    if not path.exists():
        return []
    integers = [i for i, c in enumerate(info.columns) if is_integer(c.typname)]
    floats = [i for i, c in enumerate(info.columns) if c.typname == "float4"]
    result: list[tuple[Any, ...]] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        fields: list[Any] = line.split("\t")
        if "\\" in line:
            fields = [unescape(f) if "\\" in f else f for f in fields]
        for i in integers:
            if fields[i] is not None:
                fields[i] = int(fields[i])
        for i in floats:
            fields[i] = float(fields[i])
        result.append(tuple(fields))
    return result


def _create_catalog(conn: apsw.Connection, cls: type[Any]) -> None:
    info = CATALOGS[cls]
    columns = []
    for i, column in enumerate(info.columns, 1):
        collation = column_collation(column.typname)
        columns.append(f"c{i} COLLATE {collation}" if collation else f"c{i}")
    conn.execute(
        f"CREATE TABLE r{info.relid} (rid INTEGER PRIMARY KEY AUTOINCREMENT, xmin,"
        f" {', '.join(columns)})"
    )
    data = read_data(info)
    if data:
        names = ",".join(f"c{i}" for i in range(1, len(columns) + 1))
        marks = ",".join("?" * len(columns))
        conn.executemany(
            f"INSERT INTO r{info.relid}(xmin,{names}) VALUES ({BOOTSTRAP_XID},{marks})", data
        )
    numbers = {c.name: i for i, c in enumerate(info.columns, 1)}
    for n, keys in enumerate(INDEXES.get(cls, ())):
        listed = ",".join(f"c{numbers[k]}" for k in keys)
        conn.execute(f"CREATE INDEX i{info.relid}_{n} ON r{info.relid} ({listed})")


def _build_file(path: Path, *, shared: bool) -> None:
    conn = apsw.Connection(str(path))
    try:
        # The declared collation must exist; no index uses it.
        conn.create_collation("array_ops", lambda a, b: (a > b) - (a < b))
        conn.execute("PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        conn.execute("BEGIN")
        for cls, info in CATALOGS.items():
            if info.shared == shared:
                _create_catalog(conn, cls)
        _create_transaction_tables(conn, shared)
        conn.execute("COMMIT")
        conn.execute("PRAGMA journal_mode=WAL")
    finally:
        conn.close()


def _create_transaction_tables(conn: apsw.Connection, shared: bool) -> None:
    """transam's own tables (_active, _undo, _rowlock ...)."""
    if importlib.util.find_spec("pgemu.transam.schema") is None:
        return
    importlib.import_module("pgemu.transam.schema").create_transaction_tables(conn, shared=shared)


def build_template(folder: Path | str) -> None:
    """Write base.db (what every new database is copied from) and global.db into `folder`."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, shared in (("base.db", False), ("global.db", True)):
        path = target / name
        path.unlink(missing_ok=True)
        _build_file(path, shared=shared)


@lru_cache(maxsize=1)
def template_key() -> str:
    """A name for the template that changes with the data files and with the code that builds."""
    digest = hashlib.sha256()
    code = Path(__file__).parent
    sources = [Path(__file__), code / "rows.py", code.parent / "transam" / "schema.py"]
    for path in [*sorted(DATA.glob("*.tsv")), *(s for s in sources if s.exists())]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return f"15-{digest.hexdigest()[:20]}"
