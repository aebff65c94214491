"""CREATE ACCESS METHOD and the use of table access methods (PostgreSQL's amcmds.c, tableam.c).

Handlers are functions in C: only PostgreSQL's own can be named.  A method over one of them does
what the built-in method with that handler does.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.rows import PG_PROC_RELID, PgAm, PgClass, PgDepend, PgProc
from pgemu.commands.define import strings
from pgemu.commands.permissions import require_superuser
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

INTERNALOID = 2281
_RESULTS = {"i": (325, "index_am_handler"), "t": (269, "table_am_handler")}


def create_access_method(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE ACCESS METHOD."""
    catalog = session.catalog
    name, amtype = stmt["amname"], stmt["amtype"]
    require_superuser(
        session,
        f'permission denied to create access method "{name}"',
        "Must be superuser to create an access method.",
    )
    if catalog.one(PgAm, amname=name) is not None:
        raise PgError(DUPLICATE_OBJECT, f'access method "{name}" already exists')
    handler = _handler(catalog, strings(stmt["handler_name"]), amtype)
    oid = catalog.new_oid()
    rows: list[Any] = [PgAm(oid, name, handler, amtype)]
    if not is_pinned(handler):
        rows.append(depend((PgAm.RELID, oid, 0), (PG_PROC_RELID, handler, 0), "n"))
    insert_rows(catalog, rows)
    return CommandResult("CREATE ACCESS METHOD")


def _handler(catalog: Any, names: list[str], amtype: str) -> int:
    """lookup_am_handler_func."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    oid = lookup_func_name(catalog, names, [INTERNALOID])
    wanted, word = _RESULTS[amtype]
    if catalog.get(PgProc, oid=oid).prorettype != wanted:
        raise PgError(WRONG_OBJECT_TYPE, f"function {'.'.join(names)} must return type {word}")
    return int(oid)


def get_table_am_oid(catalog: Any, name: str) -> int:
    """The OID of a table access method; 42704, or 42809 for an index access method."""
    row = catalog.one(PgAm, amname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'access method "{name}" does not exist')
    if row.amtype != "t":
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE, f'access method "{name}" is not of type TABLE'
        )
    return int(row.oid)


def choose_table_am(session: Any, name: str | None) -> int:
    """That of a new table: named, or default_table_access_method."""
    return get_table_am_oid(
        session.catalog, name or str(session.guc.get("default_table_access_method"))
    )


def set_relation_access_method(session: Any, relation: Any, am: int) -> bool:
    """ALTER TABLE SET ACCESS METHOD; False: it has it already."""
    catalog = session.catalog
    old = relation.row.relam
    if am == old:
        return False
    catalog.update(PgClass, {"oid": relation.oid}, relam=am)
    me = (PgClass.RELID, relation.oid, 0)
    if not is_pinned(old):
        catalog.delete(PgDepend, classid=me[0], objid=me[1], refclassid=PgAm.RELID, refobjid=old)
    if not is_pinned(am):
        insert_rows(catalog, [depend(me, (PgAm.RELID, am, 0), "n")])
    return True
