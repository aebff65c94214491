"""CREATE TEXT SEARCH TEMPLATE and PARSER (PostgreSQL's tsearchcmds.c): they are made of the
functions of the built-in ones, and do what those do."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.namespace import name_list_to_string, qualified_name_get_creation_namespace
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_PROC_RELID,
    PG_TS_PARSER_RELID,
    PG_TS_TEMPLATE_RELID,
    PgProc,
    PgTsParser,
    PgTsTemplate,
)
from pgemu.commands.define import def_get_qualified_name, elements
from pgemu.commands.permissions import require_superuser
from pgemu.commands.result import CommandResult
from pgemu.errors import (
    INVALID_OBJECT_DEFINITION,
    SYNTAX_ERROR,
    UNIQUE_VIOLATION,
    PgError,
)
from pgemu.parser.parse_func_lookup import lookup_func_name

INTERNALOID, INT4OID, TSQUERYOID, VOIDOID = 2281, 23, 3615, 2278
# option -> (column, argument types), in the order in which they are missed
_PARSER = {
    "start": ("prsstart", [INTERNALOID, INT4OID]),
    "gettoken": ("prstoken", [INTERNALOID] * 3),
    "end": ("prsend", [INTERNALOID]),
    "headline": ("prsheadline", [INTERNALOID, INTERNALOID, TSQUERYOID]),
    "lextypes": ("prslextype", [INTERNALOID]),
}
_TEMPLATE = {
    "init": ("tmplinit", [INTERNALOID]),
    "lexize": ("tmpllexize", [INTERNALOID] * 4),
}


def _methods(
    session: Any, stmt: dict[str, Any], known: dict[str, tuple[str, list[int]]], what: str
) -> dict[str, int]:
    """Column -> function OID (get_ts_parser_func and get_ts_template_func)."""
    catalog = session.catalog
    found: dict[str, int] = {}
    for option in elements(stmt.get("definition")):
        name = option["defname"]
        if name not in known:
            raise PgError(SYNTAX_ERROR, f'text search {what} parameter "{name}" not recognized')
        column, types = known[name]
        words = def_get_qualified_name(option)
        oid = lookup_func_name(catalog, words, types)
        result = VOIDOID if name == "end" else INTERNALOID
        if catalog.get(PgProc, oid=oid).prorettype != result:
            shown = ", ".join(catalog.type_name(t) for t in types)
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f"function {name_list_to_string(words)}({shown}) should return type "
                f"{catalog.type_name(result)}",
            )
        found[column] = oid
    return found


def _store(session: Any, row: Any, relid: int, prefix: str, methods: dict[str, int]) -> None:
    catalog = session.catalog
    name, namespace = getattr(row, f"{prefix}name"), getattr(row, f"{prefix}namespace")
    keys = {f"{prefix}name": name, f"{prefix}namespace": namespace}
    if catalog.one(type(row), **keys) is not None:  # PostgreSQL leaves it to the index
        table = "pg_ts_parser" if prefix == "prs" else "pg_ts_template"
        index = f"{table}_{prefix}name_index"
        raise PgError(
            UNIQUE_VIOLATION,
            f'duplicate key value violates unique constraint "{index}"',
            detail=f"Key ({prefix}name, {prefix}namespace)=({name}, {namespace}) already exists.",
            schema="pg_catalog",
            table=table,
            constraint=index,
        )
    me = (relid, row.oid, 0)
    rows: list[Any] = [row]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    rows += [
        depend(me, (PG_PROC_RELID, f, 0), "n")
        for f in dict.fromkeys(methods.values())
        if not is_pinned(f)
    ]
    insert_rows(catalog, rows)


def define_parser(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TEXT SEARCH PARSER."""
    require_superuser(session, "must be superuser to create text search parsers")
    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    methods = _methods(session, stmt, _PARSER, "parser")
    for option in ("start", "gettoken", "end", "lextypes"):
        if _PARSER[option][0] not in methods:
            raise PgError(
                INVALID_OBJECT_DEFINITION, f"text search parser {option} method is required"
            )
    columns = {"prsheadline": 0, **methods}
    row = PgTsParser(oid=catalog.new_oid(), prsname=name, prsnamespace=namespace, **columns)
    _store(session, row, PG_TS_PARSER_RELID, "prs", methods)
    return CommandResult("CREATE TEXT SEARCH PARSER")


def define_template(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TEXT SEARCH TEMPLATE."""
    require_superuser(session, "must be superuser to create text search templates")
    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    methods = _methods(session, stmt, _TEMPLATE, "template")
    if "tmpllexize" not in methods:
        raise PgError(INVALID_OBJECT_DEFINITION, "text search template lexize method is required")
    columns = {"tmplinit": 0, **methods}
    row = PgTsTemplate(oid=catalog.new_oid(), tmplname=name, tmplnamespace=namespace, **columns)
    _store(session, row, PG_TS_TEMPLATE_RELID, "tmpl", methods)
    return CommandResult("CREATE TEXT SEARCH TEMPLATE")
