"""CREATE TEXT SEARCH PARSER and TEMPLATE (DefineTSParser and DefineTSTemplate of PostgreSQL's
tsearchcmds.c): of functions in C, which only PostgreSQL's own can be."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.namespace import qualified_name_get_creation_namespace
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_PROC_RELID,
    PgProc,
    PgTsParser,
    PgTsTemplate,
)
from pgemu.commands.define import def_get_qualified_name, elements
from pgemu.commands.permissions import require_superuser
from pgemu.commands.result import CommandResult
from pgemu.errors import INVALID_OBJECT_DEFINITION, SYNTAX_ERROR, UNIQUE_VIOLATION, PgError

_INTERNAL, _INT4, _VOID = 2281, 23, 2278
# option -> (column, argument types, result type)
_PARSER = {
    "start": ("prsstart", [_INTERNAL, _INT4], _INTERNAL),
    "gettoken": ("prstoken", [_INTERNAL] * 3, _INTERNAL),
    "end": ("prsend", [_INTERNAL], _VOID),
    "headline": ("prsheadline", [_INTERNAL] * 3, _INTERNAL),
    "lextypes": ("prslextype", [_INTERNAL], _INTERNAL),
}
_TEMPLATE = {
    "init": ("tmplinit", [_INTERNAL], _INTERNAL),
    "lexize": ("tmpllexize", [_INTERNAL] * 4, _INTERNAL),
}


def _functions(
    session: Any, stmt: dict[str, Any], known: dict[str, tuple[str, list[int], int]], what: str
) -> dict[str, int]:
    """get_ts_parser_func and get_ts_template_func for every option."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    catalog = session.catalog
    found = {column: 0 for column, _args, _result in known.values()}
    for option in elements(stmt.get("definition")):
        name = option["defname"]
        if name not in known:
            raise PgError(SYNTAX_ERROR, f'text search {what} parameter "{name}" not recognized')
        column, args, result = known[name]
        names = def_get_qualified_name(option)
        oid = lookup_func_name(catalog, names, args)
        if catalog.get(PgProc, oid=oid).prorettype != result:
            shown = f"{'.'.join(names)}({', '.join(catalog.type_name(t) for t in args)})"
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f"function {shown} should return type {catalog.type_name(result)}",
            )
        found[column] = oid
    return found


def _store(session: Any, row: Any, name: str, namespace: int, functions: dict[str, int]) -> None:
    catalog, cls = session.catalog, type(row)
    name_column, space_column = row._fields[1], row._fields[2]
    if catalog.one(cls, **{name_column: name, space_column: namespace}) is not None:
        index = f"pg_ts_{'parser' if cls is PgTsParser else 'template'}_{name_column}_index"
        raise PgError(
            UNIQUE_VIOLATION,
            f'duplicate key value violates unique constraint "{index}"',
            detail=f"Key ({name_column}, {space_column})=({name}, {namespace}) already exists.",
        )
    me = (cls.RELID, row.oid, 0)
    rows = [row]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    rows.extend(
        depend(me, (PG_PROC_RELID, oid, 0), "n")
        for oid in functions.values()
        if oid and not is_pinned(oid)
    )
    insert_rows(catalog, rows)


def define_parser(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TEXT SEARCH PARSER."""
    require_superuser(session, "must be superuser to create text search parsers")
    namespace, name = qualified_name_get_creation_namespace(session.catalog, stmt["defnames"])
    functions = _functions(session, stmt, _PARSER, "parser")
    for option in ("start", "gettoken", "end", "lextypes"):
        if not functions[_PARSER[option][0]]:
            raise PgError(
                INVALID_OBJECT_DEFINITION, f"text search parser {option} method is required"
            )
    row = PgTsParser(oid=session.catalog.new_oid(), prsname=name, prsnamespace=namespace,
                     **functions)  # fmt: skip
    _store(session, row, name, namespace, functions)
    return CommandResult("CREATE TEXT SEARCH PARSER")


def define_template(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TEXT SEARCH TEMPLATE."""
    require_superuser(session, "must be superuser to create text search templates")
    namespace, name = qualified_name_get_creation_namespace(session.catalog, stmt["defnames"])
    functions = _functions(session, stmt, _TEMPLATE, "template")
    if not functions["tmpllexize"]:
        raise PgError(INVALID_OBJECT_DEFINITION, "text search template lexize method is required")
    row = PgTsTemplate(oid=session.catalog.new_oid(), tmplname=name, tmplnamespace=namespace,
                       **functions)  # fmt: skip
    _store(session, row, name, namespace, functions)
    return CommandResult("CREATE TEXT SEARCH TEMPLATE")
