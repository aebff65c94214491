"""Row security policies (PostgreSQL's rowsecurity.c).

A table that is read becomes a sub-select of the rows the policies let through; for the target of
UPDATE and DELETE the conditions go to the statement's WHERE, for that of MERGE to the join's.
Conditions for single rows are put in Query.with_check_options with a kind "rls_..." that says when
the row is tested (PostgreSQL's WCO_RLS_...), followed by the restrictive policy's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAuthid, PgAuthMembers, PgPolicy
from pgemu.errors import PgError
from pgemu.errors.codes import INVALID_OBJECT_DEFINITION
from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes.parsenodes import Alias, FromExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import BoolExpr, Const, Expr, RowExpr, TargetEntry, Var
from pgemu.rewrite.rewrite_manip import (
    add_qual,
    change_var_nodes,
    check_expr_has_sublink,
    copy_stored,
    mutate_inside,
)

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog

_COMMANDS = {"select": "r", "insert": "a", "update": "w", "delete": "d"}
BOOLOID = 16


def check_enable_rls(
    catalog: Catalog, relation: Relation, check_as_user: int = 0, *, no_error: bool = False
) -> bool:
    """Whether policies apply to the user (the current one when check_as_user is 0)."""
    if not relation.has_rls:
        return False
    user = check_as_user or catalog.ctx.current_user_oid
    role = catalog.one(PgAuthid, oid=user)
    if role is not None and (role.rolsuper or role.rolbypassrls):
        return False
    owner = _has_privs_of_role(catalog, user, relation.owner)
    if not relation.row.relforcerowsecurity and owner:
        return False
    if not no_error and catalog.guc is not None and catalog.guc.get("row_security") == "off":
        hint = (
            "To disable the policy for the table's owner, use ALTER TABLE NO FORCE ROW LEVEL "
            "SECURITY."
        )
        raise PgError(
            "42501",
            f'query would be affected by row-level security policy for table "{relation.name}"',
            hint=hint if owner else None,
        )
    return True


def _has_privs_of_role(catalog: Catalog, member: int, role: int) -> bool:
    seen: set[int] = set()
    pending = [member]
    while pending:
        oid = pending.pop()
        if oid == role:
            return True
        if oid in seen:
            continue
        seen.add(oid)
        row = catalog.one(PgAuthid, oid=oid)
        if row is not None and row.rolinherit:
            pending += [m.roleid for m in catalog.all(PgAuthMembers, member=oid)]
    return False


def _policies_for(
    catalog: Catalog, relation: Relation, command: str, user: int
) -> tuple[list[PgPolicy], list[PgPolicy]]:
    """(permissive, restrictive) policies of a command for a user."""
    permissive: list[PgPolicy] = []
    restrictive: list[PgPolicy] = []
    for policy in relation.policies:
        if policy.polcmd not in ("*", _COMMANDS[command]):
            continue
        roles = policy.polroles
        if 0 not in roles and not any(_has_privs_of_role(catalog, user, r) for r in roles):
            continue
        (permissive if policy.polpermissive else restrictive).append(policy)
    return permissive, restrictive


def _combine(
    catalog: Catalog,
    relation: Relation,
    policies: tuple[list[PgPolicy], list[PgPolicy]],
    rt_index: int,
    *,
    check: bool,
) -> Expr:
    """permissive OR-ed, AND-ed with all restrictive ones; nothing permissive: false."""
    permissive, restrictive = policies

    def expr_of(policy: PgPolicy) -> Expr | None:
        text = policy.polwithcheck if check and policy.polwithcheck else policy.polqual
        expr: Expr | None = catalog.decode_node(text, "expr", relation.oid)
        return change_var_nodes(copy_stored(expr), 1, rt_index) if expr is not None else None

    allowed = [e for e in map(expr_of, permissive) if e is not None]
    if not allowed:
        return Const(BOOLOID, 0)
    conditions = [e for e in map(expr_of, restrictive) if e is not None]
    first = allowed[0] if len(allowed) == 1 else BoolExpr("or", allowed)
    return BoolExpr("and", [*conditions, first]) if conditions else first


def apply_row_security(catalog: Catalog, query: Query, active: tuple[int, ...]) -> None:
    """Put the policies of every table of this query level into it.  In place."""
    for rt_index, rte in enumerate(list(query.rtable), 1):
        if rte.rtekind != "relation" or rte.relkind not in ("r", "p") or not rte.relid:
            continue
        relation = catalog.relation(rte.relid)
        if not relation.has_rls or not check_enable_rls(catalog, relation, rte.check_as_user):
            continue
        if relation.oid in active:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f'infinite recursion detected in policy for relation "{relation.name}"',
            )
        user = rte.check_as_user or catalog.ctx.current_user_oid
        inner = (*active, relation.oid)
        if rt_index == query.result_relation:
            _secure_target(catalog, query, rt_index, relation, user, inner)
        elif "SELECT" in rte.required_perms:
            _secure_source(catalog, query, rt_index, relation, user, inner)


def _fire_in_qual(catalog: Catalog, qual: Expr, active: tuple[int, ...], user: int) -> Expr:
    """Views and policies inside the sub-queries of a policy's condition, which are run with the
    privileges of whoever accesses the table (0: the current user)."""
    from pgemu.rewrite.rewrite_handler import fire_rir_rules, set_rule_check_as_user

    if check_expr_has_sublink(qual):
        if user:
            set_rule_check_as_user(qual, user)
        holder = Query("select", target_list=[TargetEntry(qual, 1)], has_sublinks=True)
        return fire_rir_rules(catalog, holder, active).target_list[0].expr
    return qual


def _secure_target(
    catalog: Catalog,
    query: Query,
    rt_index: int,
    relation: Relation,
    user: int,
    active: tuple[int, ...],
) -> None:
    command = query.command_type
    as_user = query.rtable[rt_index - 1].check_as_user
    reads = "SELECT" in query.rtable[rt_index - 1].required_perms
    if command in ("update", "delete", "merge"):
        quals = []
        needs = ("select",) if command == "merge" else (command, "select")
        for needed in needs if reads else needs[:1]:
            policies = _policies_for(catalog, relation, needed, user)
            qual = _combine(catalog, relation, policies, rt_index, check=False)
            quals.append(_fire_in_qual(catalog, qual, active, as_user))
        # before the statement's own conditions, which might tell about rows
        own, query.jointree.quals = query.jointree.quals, None
        for qual in [*quals, *([own] if own is not None else [])]:
            add_qual(query, qual)
    # the policies speak before the check options of views
    of_views, query.with_check_options = query.with_check_options, []
    for kind, needed, check in _checks_of(query, reads):
        policies = _policies_for(catalog, relation, needed, user)
        _add_checks(catalog, query, rt_index, relation, kind, policies, active, check=check)
    query.with_check_options += of_views


def _checks_of(query: Query, reads: bool) -> list[tuple[str, str, bool]]:
    """(kind of check, command whose policies apply, whether WITH CHECK counts or USING)."""
    command = query.command_type
    if command == "merge":
        checks = [
            ("rls_merge_update", "update", False),
            ("rls_merge_delete", "delete", False),
            ("rls_insert", "insert", True),
            ("rls_update", "update", True),
        ]
        return [*checks, ("rls_update", "select", False)] if reads else checks
    if command not in ("insert", "update"):
        return []
    checks = [(f"rls_{command}", command, True)]
    if reads:
        checks.append((f"rls_{command}", "select", False))
    if query.on_conflict is not None and query.on_conflict.action == "update":
        checks.append(("rls_conflict", "update", False))
        if reads:
            checks.append(("rls_conflict", "select", False))
        checks.append(("rls_update", "update", True))
        if reads:
            checks.append(("rls_update", "select", False))
    return checks


def _add_checks(
    catalog: Catalog,
    query: Query,
    rt_index: int,
    relation: Relation,
    kind: str,
    policies: tuple[list[PgPolicy], list[PgPolicy]],
    active: tuple[int, ...],
    *,
    check: bool,
) -> None:
    """add_with_check_options: one for what is permitted, one for each restriction."""
    permissive, restrictive = policies
    allowed = _combine(catalog, relation, (permissive, []), rt_index, check=check)
    entries = [(kind, allowed)]
    if permissive:
        for policy in sorted(restrictive, key=lambda one: one.polname):
            condition = _combine(catalog, relation, ([policy], []), rt_index, check=check)
            entries.append((f"{kind} {policy.polname}", condition))
    for name, condition in entries:
        as_user = query.rtable[rt_index - 1].check_as_user
        qual = _fire_in_qual(catalog, condition, active, as_user)
        query.with_check_options.append((name, qual, relation.name))


def _redirect_vars(
    query: Query, rt_index: int, relation: Relation, rte: RangeTblEntry, targets: list[TargetEntry]
) -> None:
    """References to system columns and to the whole row of a table that becomes a sub-select:
    its target list gets the system columns, a row is made of the columns."""
    added: dict[int, int] = {}

    def replace(node: Any, level: int) -> Any:
        if not isinstance(node, Var) or node.varno != rt_index or node.varlevelsup != level:
            return None
        if node.varattno == 0:
            fields: list[Expr] = [
                Const(23, None)
                if a.attisdropped
                else Var(rt_index, a.attnum, a.atttypid, a.atttypmod, a.attcollation, level)
                for a in relation.attrs
            ]
            names = [a.attname for a in relation.attrs]
            return RowExpr(fields, node.vartype, "implicit_cast", names)
        if node.varattno < 0:
            if node.varattno not in added:
                resno = len(targets) + 1
                added[node.varattno] = resno
                inner = Var(1, node.varattno, node.vartype, node.vartypmod, node.varcollid)
                targets.append(TargetEntry(inner, resno, f"system{-node.varattno}"))
                rte.eref = Alias(rte.eref.aliasname, [*rte.eref.colnames, ""])
            node.varattno = added[node.varattno]
        return None

    mutate_inside(query, replace)


def _secure_source(
    catalog: Catalog,
    query: Query,
    rt_index: int,
    relation: Relation,
    user: int,
    active: tuple[int, ...],
) -> None:
    """The table's entry becomes SELECT all columns FROM table WHERE policies."""
    from pgemu.parser.analyze import apply_locking_clause

    rte = query.rtable[rt_index - 1]
    policies = _policies_for(catalog, relation, "select", user)
    qual = _combine(catalog, relation, policies, 1, check=False)
    marks = [mark for mark in query.row_marks if mark.rti == rt_index]
    if marks:  # only rows that may be updated are locked
        policies = _policies_for(catalog, relation, "update", user)
        updatable = _combine(catalog, relation, policies, 1, check=False)
        qual = BoolExpr("and", [updatable, qual])
    qual = _fire_in_qual(catalog, qual, active, rte.check_as_user)
    names = ["" if a.attisdropped else a.attname for a in relation.attrs]
    inner = RangeTblEntry(
        "relation",
        Alias(relation.name, names),
        inh=rte.inh,
        relid=relation.oid,
        relkind=rte.relkind,
        required_perms=set(rte.required_perms),
        check_as_user=rte.check_as_user,
        selected_cols=set(rte.selected_cols),
        tablesample=rte.tablesample,
    )
    targets: list[TargetEntry] = []
    for att in relation.attrs:
        expr: Expr = (
            Const(23, None)
            if att.attisdropped
            else Var(1, att.attnum, att.atttypid, att.atttypmod, att.attcollation)
        )
        targets.append(TargetEntry(expr, att.attnum, att.attname))
    _redirect_vars(query, rt_index, relation, rte, targets)
    rte.subquery = Query(
        "select",
        targets,
        [inner],
        FromExpr([RangeTblRef(1)], qual),
        has_sublinks=check_expr_has_sublink(qual),
    )
    for mark in marks:
        apply_locking_clause(rte.subquery, 1, mark.strength, mark.wait_policy, True)
    rte.rtekind = "subquery"
    rte.security_barrier = True
    rte.inh = False
    rte.tablesample = None
    rte.required_perms = set()
    rte.relid = 0
    rte.coltypes = [expr_type(t.expr) for t in targets]
    rte.coltypmods = [expr_typmod(t.expr) for t in targets]
    rte.colcollations = [expr_collation(t.expr) for t in targets]
