"""CREATE AGGREGATE (PostgreSQL's aggregatecmds.c and pg_aggregate.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.pg_proc_create import procedure_create
from pgemu.catalog.rows import PG_PROC_RELID, PgAggregate, PgDepend, PgProc
from pgemu.commands.define import (
    def_get_int,
    def_get_qualified_name,
    def_get_string,
    def_get_type_name,
    elements,
    list_items,
)
from pgemu.commands.functioncmds import _PARALLEL, _read_parameters
from pgemu.commands.result import CommandResult
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_FUNCTION_DEFINITION,
    UNDEFINED_FUNCTION,
    PgError,
)

INTERNAL_LANGUAGE = 12
_MODIFY = {"read_only": "r", "shareable": "s", "read_write": "w"}


def define_aggregate(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE [OR REPLACE] AGGREGATE."""
    from pgemu.catalog.namespace import qualified_name_get_creation_namespace
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("definition")):
        key = str(option["defname"])
        key = {"sfunc1": "sfunc", "stype1": "stype", "initcond1": "initcond"}.get(key, key)
        given[key] = option
    if stmt.get("oldstyle"):
        raise PgError(FEATURE_NOT_SUPPORTED, "old-style CREATE AGGREGATE is not supported")
    if "stype" not in given:
        raise PgError(INVALID_FUNCTION_DEFINITION, "aggregate stype must be specified")
    if "sfunc" not in given:
        raise PgError(INVALID_FUNCTION_DEFINITION, "aggregate sfunc must be specified")
    args = stmt.get("args", [])
    nodes = list_items(args[0]) if args else []
    ordered = args[1]["Integer"].get("ival", 0) if len(args) > 1 else -1
    if ordered >= 0:
        raise PgError(FEATURE_NOT_SUPPORTED, "ordered-set aggregates are not supported")
    params = _read_parameters(session, nodes, False, "")
    stype = int(typename_type_id(catalog, def_get_type_name(given["stype"])))
    transfn = _function(session, given["sfunc"], [stype, *params.in_types])
    result = transfn.prorettype
    final = None
    if "finalfunc" in given:
        extra = params.in_types if "finalfunc_extra" in given else []
        final = _function(session, given["finalfunc"], [stype, *extra])
        result = final.prorettype
    elif result != stype:
        raise PgError(
            "42804",
            f"return type of transition function {transfn.proname} is not "
            f"{catalog.type_name(stype)}",
        )
    combine = (
        _function(session, given["combinefunc"], [stype, stype]).oid
        if "combinefunc" in given
        else 0
    )
    parallel = _PARALLEL[def_get_string(given["parallel"])] if "parallel" in given else "u"
    row = PgProc(
        0, name, namespace, session.ctx.current_user_oid, INTERNAL_LANGUAGE, 1.0, 0.0,
        params.variadic, 0, "a", False, False, False, False, "i", parallel,
        len(params.in_types), 0, result, tuple(params.in_types),
        tuple(params.all_types) if params.has_out else None,
        tuple(params.modes) if params.has_out else None,
        tuple(params.names) if any(params.names) else None, None, None, "aggregate_dummy",
    )  # fmt: skip
    oid = procedure_create(session, row, replace=bool(stmt.get("replace")))
    catalog.delete(PgAggregate, aggfnoid=oid)
    init = def_get_string(given["initcond"]) if "initcond" in given else None
    space = def_get_int(given["sspace"]) if "sspace" in given else 0
    modify = (
        _MODIFY[def_get_string(given["finalfunc_modify"])] if ("finalfunc_modify" in given) else "r"
    )
    rows: list[Any] = [
        PgAggregate(
            oid, "n", 0, transfn.oid, final.oid if final else 0, combine, 0, 0, 0, 0, 0,
            "finalfunc_extra" in given, False, modify, "r", 0, stype, space, 0, 0, init, None,
        )
    ]  # fmt: skip
    me = (PG_PROC_RELID, oid, 0)
    for function in (transfn.oid, final.oid if final else 0, combine):
        if function and not is_pinned(function):
            link: PgDepend = depend(me, (PG_PROC_RELID, function, 0), "n")
            rows.append(link)
    insert_rows(catalog, rows)
    return CommandResult("CREATE AGGREGATE")


def _function(session: Any, option: dict[str, Any], types: list[int]) -> PgProc:
    """lookup_agg_function, for exact and polymorphic signatures."""
    from pgemu.catalog.namespace import lookup_explicit_namespace, name_list_to_string

    catalog = session.catalog
    words = def_get_qualified_name(option)
    if len(words) > 1:
        spaces = [lookup_explicit_namespace(catalog, words[-2])]
    else:
        spaces = catalog.search_path()
    loose: PgProc | None = None
    for space in spaces:
        for row in catalog.all(PgProc, proname=words[-1], pronamespace=space):
            if tuple(row.proargtypes) == tuple(types):
                return row  # type: ignore[no-any-return]
            if row.pronargs == len(types) and loose is None and _polymorphic(row, types):
                loose = row
    if loose is not None:
        return loose
    shown = ", ".join(catalog.type_name(t) for t in types)
    raise PgError(
        UNDEFINED_FUNCTION, f"function {name_list_to_string(words)}({shown}) does not exist"
    )


def _polymorphic(row: PgProc, types: list[int]) -> bool:
    return all(
        d == t or d in (2276, 2277, 2283, 2776, 3500, 3831, 5077, 5078, 5079)
        for d, t in zip(row.proargtypes, types, strict=True)
    )
