"""CREATE and ALTER OPERATOR (PostgreSQL's operatorcmds.c and pg_operator.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_OPERATOR_RELID,
    PG_PROC_RELID,
    PG_TYPE_RELID,
    PgOperator,
    PgProc,
)
from pgemu.commands.define import (
    def_get_boolean,
    def_get_qualified_name,
    def_get_type_name,
    elements,
    list_items,
    strings,
)
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_FUNCTION,
    FEATURE_NOT_SUPPORTED,
    INVALID_FUNCTION_DEFINITION,
    UNDEFINED_FUNCTION,
    PgError,
)


def _type(session: Any, option: dict[str, Any] | None) -> int:
    from pgemu.parser.parse_type import typename_type_id

    if option is None:
        return 0
    return int(typename_type_id(session.catalog, def_get_type_name(option)))


def define_operator(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE OPERATOR."""
    from pgemu.catalog.namespace import qualified_name_get_creation_namespace

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("definition")):
        key = str(option["defname"])
        given["function" if key == "procedure" else key] = option
    for side in ("leftarg", "rightarg"):
        if side in given and def_get_type_name(given[side]).get("setof"):
            raise PgError(
                INVALID_FUNCTION_DEFINITION, "SETOF type not allowed for operator argument"
            )
    left, right = _type(session, given.get("leftarg")), _type(session, given.get("rightarg"))
    if not left and not right:
        raise PgError(INVALID_FUNCTION_DEFINITION, "operator argument types must be specified")
    if not right:
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            "operator right argument type must be specified",
            detail="Postfix operators are not supported.",
        )
    if "function" not in given:
        raise PgError(INVALID_FUNCTION_DEFINITION, "operator function must be specified")
    function = _function(session, given["function"], [t for t in (left, right) if t])
    old = catalog.one(
        PgOperator, oprname=name, oprleft=left, oprright=right, oprnamespace=namespace
    )
    if old is not None and old.oprcode:
        raise PgError(DUPLICATE_FUNCTION, f"operator {name} already exists")
    oid = old.oid if old is not None else catalog.new_oid()
    commutator = _other(session, given.get("commutator"), right, left, oid, name, namespace)
    negator = _other(session, given.get("negator"), left, right, oid, name, namespace)
    if old is not None:
        catalog.delete(PgOperator, oid=oid)
    row = PgOperator(
        oid, name, namespace, session.ctx.current_user_oid, "b" if left else "l",
        _flag(given, "merges"), _flag(given, "hashes"), left, right, function.prorettype,
        commutator, negator, function.oid, 0, 0,
    )  # fmt: skip
    me = (PG_OPERATOR_RELID, oid, 0)
    rows: list[Any] = [row, *owner_rows(catalog, PG_OPERATOR_RELID, oid, row.oprowner)]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    for type_id in {left, right, function.prorettype} - {0}:
        if not is_pinned(type_id):
            rows.append(depend(me, (PG_TYPE_RELID, type_id, 0), "n"))
    if not is_pinned(function.oid):
        rows.append(depend(me, (PG_PROC_RELID, function.oid, 0), "n"))
    insert_rows(catalog, rows)
    for other, column in ((commutator, "oprcom"), (negator, "oprnegate")):
        if other and other != oid:
            found = catalog.one(PgOperator, oid=other)
            if found is not None and not getattr(found, column):
                catalog.update(PgOperator, {"oid": other}, **{column: oid})
    return CommandResult("CREATE OPERATOR")


def _flag(given: dict[str, dict[str, Any]], name: str) -> bool:
    return name in given and def_get_boolean(given[name])


def _function(session: Any, option: dict[str, Any], types: list[int]) -> PgProc:
    from pgemu.catalog.namespace import lookup_explicit_namespace, name_list_to_string

    catalog = session.catalog
    words = def_get_qualified_name(option)
    if len(words) > 1:
        spaces = [lookup_explicit_namespace(catalog, words[-2])]
    else:
        spaces = catalog.search_path()
    for space in spaces:
        for row in catalog.all(PgProc, proname=words[-1], pronamespace=space):
            if list(row.proargtypes) == types:
                return row  # type: ignore[no-any-return]
    shown = ", ".join(catalog.type_name(t) for t in types)
    raise PgError(
        UNDEFINED_FUNCTION, f"function {name_list_to_string(words)}({shown}) does not exist"
    )


def _other(
    session: Any,
    option: dict[str, Any] | None,
    left: int,
    right: int,
    own_oid: int,
    own_name: str,
    namespace: int,
) -> int:
    """The commutator or negator; a shell row stands in for one that does not exist yet."""
    if option is None:
        return 0
    catalog = session.catalog
    if "List" in option["arg"]:
        words = strings(list_items(option["arg"]))
    else:
        words = def_get_qualified_name(option)
    name = words[-1]
    found = catalog.all(PgOperator, oprname=name, oprleft=left, oprright=right)
    if found:
        return int(found[0].oid)
    if name == own_name:
        return own_oid
    oid = catalog.new_oid()
    insert_rows(
        catalog,
        [
            PgOperator(
                oid, name, namespace, session.ctx.current_user_oid, "b" if left else "l",
                False, False, left, right, 0, 0, 0, 0, 0, 0,
            )
        ],
    )  # fmt: skip
    return int(oid)


def alter_operator(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER OPERATOR ... SET (RESTRICT, JOIN): estimators, which change no result."""
    from pgemu.commands.get_object_address import existing_object
    from pgemu.commands.ownership import check_object_ownership

    node = {"ObjectWithArgs": stmt["opername"]}
    address = existing_object(session.catalog, "OBJECT_OPERATOR", node)
    check_object_ownership(session, address)
    for option in elements(stmt.get("options")):
        if option["defname"] not in ("restrict", "join"):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'operator attribute "{option["defname"]}" cannot be changed',
            )
    return CommandResult("ALTER OPERATOR")
