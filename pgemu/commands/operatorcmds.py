"""CREATE and ALTER OPERATOR (PostgreSQL's operatorcmds.c and pg_operator.c).

Estimators are checked and kept in the catalog; the planner here has no use for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.acl import (
    ACL_CREATE,
    ACL_EXECUTE,
    ACL_USAGE,
    pg_namespace_aclcheck,
    pg_proc_aclcheck,
    pg_type_aclcheck,
)
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.namespace import name_list_to_string, qualified_name_get_creation_namespace
from pgemu.catalog.namespace_candidates import opername_get_oprid
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_OPERATOR_RELID,
    PG_PROC_RELID,
    PG_TYPE_RELID,
    PgDepend,
    PgNamespace,
    PgOperator,
    PgProc,
)
from pgemu.commands.define import (
    def_get_boolean,
    def_get_qualified_name,
    def_get_type_name,
    elements,
)
from pgemu.commands.ownership import check_object_ownership
from pgemu.commands.permissions import (
    aclcheck_error,
    aclcheck_error_not_owner,
    aclcheck_error_type,
    owns,
)
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    DUPLICATE_FUNCTION,
    INVALID_FUNCTION_DEFINITION,
    INVALID_OBJECT_DEFINITION,
    SYNTAX_ERROR,
    PgError,
)

OIDOID, INT2OID, INT4OID, INTERNALOID, FLOAT8OID, BOOLOID = 26, 21, 23, 2281, 701, 16
_NAMES = ("function", "commutator", "negator", "restrict", "join")
# obsolete spellings of MERGES
_MERGE_WORDS = ("sort1", "sort2", "ltcmp", "gtcmp")
_FIXED = ("leftarg", "rightarg", "function", "procedure", "commutator", "negator", "hashes",
          "merges")  # fmt: skip


@dataclass(slots=True)
class _Definition:
    """The clauses of CREATE OPERATOR."""

    names: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    hashes: bool = False
    merges: bool = False


def _bad(message: str, detail: str | None = None) -> PgError:
    return PgError(INVALID_FUNCTION_DEFINITION, message, detail=detail)


def _read_definition(session: Any, stmt: dict[str, Any]) -> _Definition:
    found = _Definition()
    for option in elements(stmt.get("definition")):
        written = str(option["defname"])
        key = "function" if written == "procedure" else written
        if key in ("leftarg", "rightarg"):
            found.types[key] = def_get_type_name(option)
            if found.types[key].get("setof"):
                raise _bad("SETOF type not allowed for operator argument")
        elif key in _NAMES:
            found.names[key] = def_get_qualified_name(option)
        elif key == "hashes":
            found.hashes = def_get_boolean(option)
        elif key == "merges":
            found.merges = def_get_boolean(option)
        elif key in _MERGE_WORDS:
            found.merges = True
        else:
            # a warning for the sake of old dumps
            session.notice(
                "WARNING", SYNTAX_ERROR, f'operator attribute "{written}" not recognized'
            )
    return found


def _argument_type(session: Any, type_name: dict[str, Any] | None) -> int:
    from pgemu.parser.parse_type import typename_type_id

    if type_name is None:
        return 0
    return int(typename_type_id(session.catalog, {**type_name, "location": -1}))


def _check_schema(catalog: Any, namespace: int) -> None:
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)


def _check_usage(session: Any, type_id: int) -> None:
    if type_id and not pg_type_aclcheck(session.catalog, type_id, ACL_USAGE):
        aclcheck_error_type(session, type_id)


def _check_execute(catalog: Any, oid: int, words: list[str]) -> None:
    if not pg_proc_aclcheck(catalog, oid, ACL_EXECUTE):
        aclcheck_error("function", name_list_to_string(words))


def define_operator(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE OPERATOR."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    _check_schema(catalog, namespace)
    d = _read_definition(session, stmt)
    if "function" not in d.names:
        raise _bad("operator function must be specified")
    left = _argument_type(session, d.types.get("leftarg"))
    right = _argument_type(session, d.types.get("rightarg"))
    if not left and not right:
        raise _bad("operator argument types must be specified")
    if not right:
        raise _bad(
            "operator right argument type must be specified",
            "Postfix operators are not supported.",
        )
    _check_usage(session, left)
    _check_usage(session, right)
    words = d.names["function"]
    function = catalog.get(
        PgProc, oid=lookup_func_name(catalog, words, [t for t in (left, right) if t])
    )
    _check_execute(catalog, function.oid, words)
    _check_usage(session, function.prorettype)
    restrict = _restriction_estimator(catalog, d.names["restrict"]) if "restrict" in d.names else 0
    join = _join_estimator(catalog, d.names["join"]) if "join" in d.names else 0
    _check_attributes(d, left, function.prorettype, restrict, join)
    _operator_create(session, d, PgOperator(
        0, name, namespace, session.ctx.current_user_oid, "b" if left else "l",
        d.merges, d.hashes, left, right, function.prorettype, 0, 0, function.oid, restrict, join,
    ))  # fmt: skip
    return CommandResult("CREATE OPERATOR")


def _check_attributes(d: _Definition, left: int, result: int, restrict: int, join: int) -> None:
    given = (
        ("commutators", "commutator" in d.names, True, False),
        ("negators", "negator" in d.names, False, True),
        ("restriction selectivity", bool(restrict), False, True),
        ("join selectivity", bool(join), True, True),
    )
    for kind, column, wrong in (("binary", 2, not left), ("boolean", 3, result != BOOLOID)):
        if not wrong:
            continue
        for item in given:
            if item[1] and item[column]:
                raise _bad(f"only {kind} operators can have {item[0]}")
        if d.merges:
            raise _bad(f"only {kind} operators can merge join")
        if d.hashes:
            raise _bad(f"only {kind} operators can hash")


def _operator_create(session: Any, d: _Definition, row: PgOperator) -> None:
    """OperatorCreate: fills a shell if there is one, and links commutator and negator."""
    catalog = session.catalog
    old = catalog.one(
        PgOperator,
        oprname=row.oprname,
        oprleft=row.oprleft,
        oprright=row.oprright,
        oprnamespace=row.oprnamespace,
    )
    if old is not None and old.oprcode:
        raise PgError(DUPLICATE_FUNCTION, f"operator {row.oprname} already exists")
    if old is not None and not owns(session, old.oprowner):
        aclcheck_error_not_owner("operator", row.oprname)
    commutator = negator = 0
    self_commutator = False
    if "commutator" in d.names:
        words = d.names["commutator"]
        commutator = _other(session, words, row, row.oprright, row.oprleft, commutator=True)
        self_commutator = not commutator
    if "negator" in d.names:
        negator = _other(
            session, d.names["negator"], row, row.oprleft, row.oprright, commutator=False
        )
    # the shells of the others come first
    oid = old.oid if old is not None else catalog.new_oid()
    commutator = oid if self_commutator else commutator
    if old is not None:
        catalog.delete(PgOperator, oid=oid)
        catalog.delete(PgDepend, classid=PG_OPERATOR_RELID, objid=oid)
    new = row._replace(oid=oid, oprcom=commutator, oprnegate=negator)
    rows: list[Any] = [new, *_dependencies(new)]
    if old is None:
        rows.extend(owner_rows(catalog, PG_OPERATOR_RELID, oid, row.oprowner))
    insert_rows(catalog, rows)
    for other, column in ((commutator, "oprcom"), (negator, "oprnegate")):
        if other and other != oid:
            found = catalog.one(PgOperator, oid=other)
            if found is not None and not getattr(found, column):
                catalog.update(PgOperator, {"oid": other}, **{column: oid})


def _dependencies(row: PgOperator) -> list[PgDepend]:
    """makeOperatorDependencies."""
    me = (PG_OPERATOR_RELID, row.oid, 0)
    needed = [(PG_TYPE_RELID, t) for t in (row.oprleft, row.oprright, row.oprresult)]
    needed += [(PG_PROC_RELID, f) for f in (row.oprcode, row.oprrest, row.oprjoin)]
    rows = [
        depend(me, (classid, oid, 0), "n")
        for classid, oid in dict.fromkeys(needed)
        if oid and not is_pinned(oid)
    ]
    if not is_pinned(row.oprnamespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, row.oprnamespace, 0), "n"))
    return rows


def _other(
    session: Any, words: list[str], me: PgOperator, left: int, right: int, *, commutator: bool
) -> int:
    """get_other_operator: the commutator or negator; a shell stands in for one that does not
    exist yet; 0: it is the operator that is being made."""
    catalog = session.catalog
    oid = opername_get_oprid(catalog, words, left, right)
    if not oid:
        nodes = [{"String": {"sval": w}} for w in words]
        namespace, name = qualified_name_get_creation_namespace(catalog, nodes)
        same_types = (left, right) == (me.oprleft, me.oprright)
        if name == me.oprname and namespace == me.oprnamespace and same_types:
            if not commutator:
                raise _bad("operator cannot be its own negator or sort operator")
            return 0
        _check_schema(catalog, namespace)
        return _make_shell(session, name, namespace, left, right)
    if not owns(session, catalog.get(PgOperator, oid=oid).oprowner):
        aclcheck_error_not_owner("operator", name_list_to_string(words))
    return int(oid)


def _make_shell(session: Any, name: str, namespace: int, left: int, right: int) -> int:
    """OperatorShellMake."""
    catalog = session.catalog
    oid = int(catalog.new_oid())
    row = PgOperator(
        oid, name, namespace, session.ctx.current_user_oid, "b" if left else "l",
        False, False, left, right, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip
    owner = owner_rows(catalog, PG_OPERATOR_RELID, oid, row.oprowner)
    insert_rows(catalog, [row, *_dependencies(row), *owner])
    return oid


def _restriction_estimator(catalog: Any, words: list[str]) -> int:
    """ValidateRestrictionEstimator."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    oid = lookup_func_name(catalog, words, [INTERNALOID, OIDOID, INTERNALOID, INT4OID])
    return _check_estimator(catalog, oid, words, "restriction")


def _join_estimator(catalog: Any, words: list[str]) -> int:
    """ValidateJoinEstimator: five arguments, or the older form with four."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    types = [INTERNALOID, OIDOID, INTERNALOID, INT2OID, INTERNALOID]
    oid = lookup_func_name(catalog, words, types, True)
    older = lookup_func_name(catalog, words, types[:4], True)
    if oid and older:
        raise PgError(
            AMBIGUOUS_FUNCTION,
            f"join estimator function {name_list_to_string(words)} has multiple matches",
        )
    oid = oid or older or lookup_func_name(catalog, words, types)
    return _check_estimator(catalog, oid, words, "join")


def _check_estimator(catalog: Any, oid: int, words: list[str], what: str) -> int:
    if catalog.get(PgProc, oid=oid).prorettype != FLOAT8OID:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"{what} estimator function {name_list_to_string(words)} must return type float8",
        )
    _check_execute(catalog, oid, words)
    return oid


def alter_operator(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER OPERATOR ... SET (RESTRICT, JOIN)."""
    from pgemu.commands.get_object_address import existing_object

    catalog = session.catalog
    node = {"ObjectWithArgs": stmt["opername"]}
    address = existing_object(catalog, "OBJECT_OPERATOR", node)
    given: dict[str, list[str] | None] = {}
    for option in elements(stmt.get("options")):
        name = option["defname"]
        words = def_get_qualified_name(option) if "arg" in option else None
        if name not in ("restrict", "join"):
            what = "cannot be changed" if name in _FIXED else "not recognized"
            raise PgError(SYNTAX_ERROR, f'operator attribute "{name}" {what}')
        given[name] = words
    check_object_ownership(session, address)
    row = catalog.get(PgOperator, oid=address.objid)
    changes: dict[str, int] = {}
    for name, column, find in (
        ("restrict", "oprrest", _restriction_estimator),
        ("join", "oprjoin", _join_estimator),
    ):
        if name in given:
            named = given[name]
            changes[column] = find(catalog, named) if named is not None else 0
    restrict, join = changes.get("oprrest", 0), changes.get("oprjoin", 0)
    _check_attributes(_Definition(), row.oprleft, row.oprresult, restrict, join)
    if changes:
        catalog.update(PgOperator, {"oid": row.oid}, **changes)
        catalog.delete(PgDepend, classid=PG_OPERATOR_RELID, objid=row.oid)
        insert_rows(catalog, _dependencies(row._replace(**changes)))
    return CommandResult("ALTER OPERATOR")
