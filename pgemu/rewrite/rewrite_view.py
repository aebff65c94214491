"""Automatically updatable views (the second half of PostgreSQL's rewriteHandler.c).

INSERT, UPDATE and DELETE of a view over one table become the same statement on the table; the
view's WHERE restricts UPDATE and DELETE, and WITH CHECK OPTION adds conditions for new rows.
Query.with_check_options holds (kind, condition, view name), kind "cascaded" or "local", innermost
view first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.errors import PgError
from pgemu.errors.codes import FEATURE_NOT_SUPPORTED, OBJECT_NOT_IN_PREREQUISITE_STATE
from pgemu.nodes.parsenodes import Alias, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import Const, CurrentOfExpr, TargetEntry, Var
from pgemu.rewrite.rewrite_manip import (
    add_qual,
    change_var_nodes,
    check_expr_has_sublink,
    copy_object,
    copy_stored,
    replace_vars_from_target_list,
)

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog

_NOT_SINGLE = (
    "Views that do not select from a single table or view are not automatically updatable."
)
_UPDATABLE_KINDS = ("r", "f", "v", "p")
# bits of pg_trigger.tgtype
TRIGGER_ROW, TRIGGER_INSERT, TRIGGER_DELETE, TRIGGER_UPDATE, TRIGGER_INSTEAD = 1, 4, 8, 16, 64
_TRIGGER_BITS = {"insert": TRIGGER_INSERT, "delete": TRIGGER_DELETE, "update": TRIGGER_UPDATE}


def view_has_instead_trigger(relation: Relation, query: Query) -> bool:
    """Whether an INSTEAD OF row trigger handles the statement."""
    return has_instead_trigger(relation, query.command_type)


def has_instead_trigger(relation: Relation, command: str) -> bool:
    """Whether the view has an INSTEAD OF row trigger for the command."""
    wanted = TRIGGER_ROW | TRIGGER_INSTEAD | _TRIGGER_BITS.get(command, 0)
    return any(t.tgtype & wanted == wanted for t in relation.triggers)


def view_query_is_auto_updatable(viewquery: Query, check_cols: bool) -> str | None:
    """None when the view can be updated, else why not (the error's DETAIL)."""
    for present, what in (
        (viewquery.distinct_clause, "containing DISTINCT"),
        (viewquery.group_clause or viewquery.grouping_sets, "containing GROUP BY"),
        (viewquery.having_qual, "containing HAVING"),
        (viewquery.set_operations, "containing UNION, INTERSECT, or EXCEPT"),
        (viewquery.cte_list, "containing WITH"),
        (viewquery.limit_offset or viewquery.limit_count, "containing LIMIT or OFFSET"),
        (viewquery.has_aggs, "that return aggregate functions"),
        (viewquery.has_window_funcs, "that return window functions"),
        (viewquery.has_target_srfs, "that return set-returning functions"),
    ):
        if present:
            return f"Views {what} are not automatically updatable."
    fromlist = viewquery.jointree.fromlist
    if len(fromlist) != 1 or not isinstance(fromlist[0], RangeTblRef):
        return _NOT_SINGLE
    base = viewquery.rtable[fromlist[0].rtindex - 1]
    if base.rtekind != "relation" or base.relkind not in _UPDATABLE_KINDS:
        return _NOT_SINGLE
    if base.tablesample is not None:
        return "Views containing TABLESAMPLE are not automatically updatable."
    if check_cols and all(
        view_col_is_auto_updatable(fromlist[0].rtindex, t) is not None
        for t in viewquery.target_list
    ):
        return "Views that have no updatable columns are not automatically updatable."
    return None


def view_col_is_auto_updatable(rtindex: int, entry: TargetEntry) -> str | None:
    """None when the view's column is a column of the base table, else why not."""
    if entry.resjunk:
        return "Junk view columns are not updatable."
    var = entry.expr
    if not isinstance(var, Var) or var.varno != rtindex or var.varlevelsup != 0:
        return "View columns that are not columns of their base relation are not updatable."
    if var.varattno < 0:
        return "View columns that refer to system columns are not updatable."
    if var.varattno == 0:
        return "View columns that return whole-row references are not updatable."
    return None


def relation_is_updatable(
    catalog: Catalog, relid: int, include_triggers: bool, depth: int = 0
) -> set[str]:
    """Which of insert, update and delete the relation supports (pg_relation_is_updatable)."""
    from pgemu.catalog.rows import PgClass

    row = catalog.one(PgClass, oid=relid)
    if row is None or depth > 100:
        return set()
    everything = {"insert", "update", "delete"}
    if row.relkind in ("r", "p"):
        return everything
    relation = catalog.relation(relid)
    events: set[str] = set()
    rule_events = {"2": "update", "3": "insert", "4": "delete"}
    for rule in relation.rules:
        if rule.is_instead and rule.ev_type in rule_events and not _has_qual(rule.ev_qual):
            events.add(rule_events[rule.ev_type])
    if include_triggers:
        events |= {c for c in everything if has_instead_trigger(relation, c)}
    if events == everything or row.relkind != "v":
        return events
    viewquery = relation.view_query
    if view_query_is_auto_updatable(viewquery, False) is not None:
        return events
    rtindex = viewquery.jointree.fromlist[0].rtindex
    columns = any(view_col_is_auto_updatable(rtindex, t) is None for t in viewquery.target_list)
    auto = everything if columns else {"delete"}
    base = viewquery.rtable[rtindex - 1]
    if base.relkind not in ("r", "p"):
        auto = auto & relation_is_updatable(catalog, base.relid, include_triggers, depth + 1)
    return events | auto


def _has_qual(text: str | None) -> bool:
    return text not in (None, "", "null", "<>")


_VERBS = {"insert": "insert into", "update": "update", "delete": "delete from"}
_GERUNDS = {"insert": "inserting into", "update": "updating", "delete": "deleting from"}


def error_view_not_updatable(name: str, command: str, detail: str) -> PgError:
    """55000 with the hint what would make the view updatable."""
    word = command.upper()
    return PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        f'cannot {_VERBS[command]} view "{name}"',
        detail=detail,
        hint=f"To enable {_GERUNDS[command]} the view, provide an INSTEAD OF {word} trigger or "
        f"an unconditional ON {word} DO INSTEAD rule.",
    )


def rewrite_target_view(catalog: Catalog, query: Query, view: Relation) -> Query:
    """The statement on a simple view as one on its base relation.  In place."""
    from pgemu.rewrite.rewrite_handler import refuse_restricted

    command = query.command_type
    refuse_restricted(catalog, view, "view")
    if isinstance(query.jointree.quals, CurrentOfExpr):
        raise PgError(FEATURE_NOT_SUPPORTED, "WHERE CURRENT OF on a view is not implemented")
    viewquery: Query = copy_stored(view.view_query)
    detail = view_query_is_auto_updatable(viewquery, command != "delete")
    if detail is not None:
        raise error_view_not_updatable(view.name, command, detail)
    base_ref = viewquery.jointree.fromlist[0]
    assert isinstance(base_ref, RangeTblRef)
    if command != "delete":
        _check_columns(query, viewquery, base_ref.rtindex, view)
    view_index = query.result_relation
    view_rte = query.rtable[view_index - 1]
    base_rte: RangeTblEntry = viewquery.rtable[base_ref.rtindex - 1]
    query.rtable.append(base_rte)
    new_index = len(query.rtable)
    targets: list[TargetEntry] = change_var_nodes(
        copy_object(viewquery.target_list), base_ref.rtindex, new_index
    )
    _carry_permissions(view, view_rte, base_rte, targets)
    view_rte.required_perms.discard("SELECT")
    types = [(a.atttypid, a.atttypmod, a.attcollation) for a in view.attrs]
    replace_vars_from_target_list(query, view_index, view_rte, targets, column_types=types)
    _keep_view_entry(query, view_index, new_index)
    if command != "delete":
        for entry in query.target_list:
            if not entry.resjunk:
                entry.resno = _base_attno(targets, entry.resno)
        query.target_list.sort(key=lambda t: (t.resjunk, t.resno))
    if query.on_conflict is not None:
        _rewrite_on_conflict(catalog, query, view_rte, base_rte, targets, new_index)
    quals = viewquery.jointree.quals
    if quals is not None:
        quals = change_var_nodes(copy_object(quals), base_ref.rtindex, new_index)
        if command in ("update", "delete"):
            add_qual(query, quals)
    if command in ("insert", "update"):
        _add_check_option(query, view, quals)
    return query


def _keep_view_entry(query: Query, view_index: int, new_index: int) -> None:
    """Point the query to the base relation; the view's entry stays for its privileges only."""
    change_var_nodes(query, view_index, new_index)
    view_rte = query.rtable[view_index - 1]
    view_rte.in_from_cl = False
    view_rte.inh = False
    view_rte.rtekind = "result"
    attrs = len(view_rte.eref.colnames)
    view_rte.coltypes, view_rte.coltypmods = [0] * attrs, [-1] * attrs
    view_rte.colcollations = [0] * attrs


def _base_attno(targets: list[TargetEntry], resno: int) -> int:
    expr = next(t.expr for t in targets if t.resno == resno)
    assert isinstance(expr, Var)
    return expr.varattno


def _check_columns(query: Query, viewquery: Query, rtindex: int, view: Relation) -> None:
    """Every column the statement sets must be a plain column of the base table."""
    modified = {t.resno for t in query.target_list if not t.resjunk}
    if query.on_conflict is not None:
        modified |= {t.resno for t in query.on_conflict.on_conflict_set if not t.resjunk}
    for entry in viewquery.target_list:
        if entry.resno not in modified:
            continue
        detail = view_col_is_auto_updatable(rtindex, entry)
        if detail is not None:
            verb = "insert into" if query.command_type == "insert" else "update"
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'cannot {verb} column "{entry.resname}" of view "{view.name}"',
                detail=detail,
            )


def _carry_permissions(
    view: Relation, view_rte: RangeTblEntry, base_rte: RangeTblEntry, targets: list[TargetEntry]
) -> None:
    """The base relation needs the same privileges, of the view's owner, on its own columns."""
    from pgemu.rewrite.rewrite_handler import view_check_user

    base_rte.check_as_user = view_check_user(view)
    base_rte.required_perms = set(view_rte.required_perms)
    base_rte.in_from_cl = view_rte.in_from_cl
    mapping = {t.resno: t.expr.varattno for t in targets if isinstance(t.expr, Var)}
    for name in ("selected_cols", "inserted_cols", "updated_cols"):
        columns = {mapping[c] for c in getattr(view_rte, name) if c in mapping}
        setattr(base_rte, name, columns | (base_rte.selected_cols if name[0] == "s" else set()))


def _rewrite_on_conflict(
    catalog: Catalog,
    query: Query,
    view_rte: RangeTblEntry,
    base_rte: RangeTblEntry,
    targets: list[TargetEntry],
    new_index: int,
) -> None:
    """ON CONFLICT of the view becomes that of the table: columns, EXCLUDED and arbiters."""
    from pgemu.parser.parse_clause import infer_arbiter_indexes

    conflict = query.on_conflict
    assert conflict is not None
    for entry in conflict.on_conflict_set:
        if not entry.resjunk:
            entry.resno = _base_attno(targets, entry.resno)
    relation = catalog.relation(base_rte.relid)
    if conflict.excl_rel_index:
        old_index = conflict.excl_rel_index
        names = ["" if a.attisdropped else a.attname for a in relation.attrs]
        query.rtable.append(
            RangeTblEntry(
                "relation",
                Alias("excluded", names),
                Alias("excluded"),
                inh=False,
                in_from_cl=False,
                relid=relation.oid,
                relkind="c",
            )
        )
        excluded = len(query.rtable)
        conflict.excl_rel_index = excluded
        mapped = change_var_nodes(copy_object(targets), new_index, excluded)
        old_rte = query.rtable[old_index - 1]
        replace_vars_from_target_list(conflict.on_conflict_set, old_index, old_rte, mapped)
        holder = [conflict.on_conflict_where]
        replace_vars_from_target_list(holder, old_index, old_rte, mapped)
        conflict.on_conflict_where = holder[0]
        old_rte.rtekind = "result"
        count = len(old_rte.eref.colnames)
        old_rte.coltypes, old_rte.coltypmods = [0] * count, [-1] * count
        old_rte.colcollations = [0] * count
    if relation.relkind in ("r", "p"):
        conflict.arbiter_indexes = infer_arbiter_indexes(relation, conflict)


def _add_check_option(query: Query, view: Relation, quals: object) -> None:
    option = view.options.get("check_option", "")
    has_option = option in ("local", "cascaded")
    cascaded = option == "cascaded"
    if query.with_check_options and query.with_check_options[0][0] == "cascaded":
        has_option = cascaded = True
    if not has_option or not (cascaded or quals is not None):
        return
    condition = copy_object(quals) if quals is not None else Const(16, 1)
    query.with_check_options.insert(
        0,
        ("cascaded" if cascaded else "local", condition, view.name),  # type: ignore[arg-type]
    )
    if not query.has_sublinks and quals is not None:
        query.has_sublinks = check_expr_has_sublink(quals)
