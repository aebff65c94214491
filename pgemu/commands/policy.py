"""CREATE and ALTER POLICY (PostgreSQL's policy.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.find_expr_references import record_dependency_on_expr
from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_AUTHID_RELID,
    PG_CLASS_RELID,
    PG_POLICY_RELID,
    PgDepend,
    PgPolicy,
    PgShdepend,
)
from pgemu.commands.cook import open_relation_pstate
from pgemu.commands.permissions import check_not_system, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_spec import grantee_oid
from pgemu.errors import (
    DUPLICATE_OBJECT,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_node import ParseExprKind

_COMMANDS = {"all": "*", "select": "r", "insert": "a", "update": "w", "delete": "d"}


def _table(session: Any, stmt: dict[str, Any]) -> Any:
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relation = catalog.relation(range_var_get_relid(catalog, stmt["table"]))
    if relation.relkind not in "rp":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table')
    check_owner(session, relation)
    check_not_system(session, relation)
    return relation


def _roles(session: Any, stmt: dict[str, Any]) -> tuple[int, ...]:
    found = [grantee_oid(session, spec) for spec in stmt.get("roles", ())]
    if 0 in found and len(found) > 1:
        session.notice(
            "WARNING",
            "22023",
            "ignoring specified roles other than PUBLIC",
            hint="All roles are members of the PUBLIC role.",
        )
        return (0,)
    return tuple(found) or (0,)


def _expression(session: Any, relation: Any, raw: Any, word: str, text: str) -> Any:
    if raw is None:
        return None
    from pgemu.parser.parse_coerce import coerce_to_boolean
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    pstate = open_relation_pstate(session.catalog, text, relation)
    try:
        expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_POLICY)
        expr = coerce_to_boolean(pstate, expr, word)
    except PgError as error:
        # CreatePolicy's ParseState has no text, so its errors have no position
        error.location = None
        raise
    assign_expr_collations(pstate, expr)
    return expr


def create_policy(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE POLICY."""
    catalog = session.catalog
    name = stmt["policy_name"]
    command = _COMMANDS[stmt.get("cmd_name", "all")]
    if command in "rd" and stmt.get("with_check") is not None:
        raise PgError(SYNTAX_ERROR, "WITH CHECK cannot be applied to SELECT or DELETE")
    if command == "a" and stmt.get("qual") is not None:
        raise PgError(SYNTAX_ERROR, "only WITH CHECK expression allowed for INSERT")
    relation = _table(session, stmt)
    roles = _roles(session, stmt)
    qual = _expression(session, relation, stmt.get("qual"), "POLICY", st.source_text)
    check = _expression(session, relation, stmt.get("with_check"), "POLICY", st.source_text)
    if catalog.one(PgPolicy, polrelid=relation.oid, polname=name) is not None:
        raise PgError(
            DUPLICATE_OBJECT, f'policy "{name}" for table "{relation.name}" already exists'
        )
    oid = catalog.new_oid()
    me = (PG_POLICY_RELID, oid, 0)
    rows: list[Any] = [
        PgPolicy(
            oid, name, relation.oid, command, bool(stmt.get("permissive")), roles,
            node_to_string(qual) if qual is not None else None,
            node_to_string(check) if check is not None else None,
        ),
        depend(me, (PG_CLASS_RELID, relation.oid, 0), "a"),
    ]  # fmt: skip
    insert_rows(catalog, rows)
    _record(session, oid, relation, (qual, check), roles)
    return CommandResult("CREATE POLICY")


def _record(
    session: Any, oid: int, relation: Any, exprs: tuple[Any, ...], roles: tuple[int, ...]
) -> None:
    from pgemu.nodes.parsenodes import Alias, RangeTblEntry

    catalog = session.catalog
    rte = RangeTblEntry("relation", Alias(""), relid=relation.oid, relkind=relation.relkind)
    for expr in exprs:
        if expr is not None:
            record_dependency_on_expr(
                catalog, ObjectAddress(PG_POLICY_RELID, oid, 0), expr, [rte], "n"
            )
    rows = [
        PgShdepend(session.ctx.database_oid, PG_POLICY_RELID, oid, 0, PG_AUTHID_RELID, role, "r")
        for role in roles
        if role >= 12000
    ]
    insert_rows(catalog, rows)


def record_again(session: Any, relation: Any, row: PgPolicy) -> None:
    """The dependencies of a policy that has changed."""
    catalog = session.catalog
    catalog.delete(PgDepend, classid=PG_POLICY_RELID, objid=row.oid)
    catalog.delete(PgShdepend, classid=PG_POLICY_RELID, objid=row.oid)
    insert_rows(
        catalog, [depend((PG_POLICY_RELID, row.oid, 0), (PG_CLASS_RELID, relation.oid, 0), "a")]
    )
    exprs = tuple(
        catalog.decode_node(text, "expr", relation.oid) if text else None
        for text in (row.polqual, row.polwithcheck)
    )
    _record(session, row.oid, relation, exprs, tuple(row.polroles))


def remove_role_from_policy(session: Any, role: int, policy: int) -> bool:
    """RemoveRoleFromObjectPolicy; False: the policy would be for nobody, and is to be dropped."""
    catalog = session.catalog
    row = catalog.one(PgPolicy, oid=policy)
    if row is None or role not in row.polroles:
        return True
    roles = tuple(one for one in row.polroles if one != role)
    if not roles:
        return False
    catalog.update(PgPolicy, {"oid": policy}, polroles=roles)
    record_again(session, catalog.relation(row.polrelid), row._replace(polroles=roles))
    return True


def alter_policy(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER POLICY."""
    catalog = session.catalog
    relation = _table(session, stmt)
    name = stmt["policy_name"]
    row = catalog.one(PgPolicy, polrelid=relation.oid, polname=name)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT, f'policy "{name}" for table "{relation.name}" does not exist'
        )
    if row.polcmd in "rd" and stmt.get("with_check") is not None:
        raise PgError(SYNTAX_ERROR, "only USING expression allowed for SELECT, DELETE")
    if row.polcmd == "a" and stmt.get("qual") is not None:
        raise PgError(SYNTAX_ERROR, "only WITH CHECK expression allowed for INSERT")
    changes: dict[str, Any] = {}
    for field, column in (("qual", "polqual"), ("with_check", "polwithcheck")):
        expr = _expression(session, relation, stmt.get(field), "POLICY", st.source_text)
        if expr is not None:
            changes[column] = node_to_string(expr)
    if stmt.get("roles"):
        changes["polroles"] = _roles(session, stmt)
    if changes:
        catalog.update(PgPolicy, {"oid": row.oid}, **changes)
        record_again(session, relation, row._replace(**changes))
    return CommandResult("ALTER POLICY")
