"""Names of FROM items and of their columns (PostgreSQL's parse_relation.c, the looking-up half).

`col_name_to_var` and `refname_namespace_item` search the name space of a query level and of the
levels around it; `error_missing_column` and `error_missing_rte` word the failure with PostgreSQL's
hints.  The other half of the C file, which makes range table entries, is parse_rte.py; its
functions are re-exported here under PostgreSQL's names.
"""

from __future__ import annotations

from typing import Any, NoReturn

from pgemu.catalog.rows import PgClass, PgNamespace
from pgemu.errors import PgError
from pgemu.errors.codes import (
    AMBIGUOUS_ALIAS,
    AMBIGUOUS_COLUMN,
    DUPLICATE_ALIAS,
    INVALID_COLUMN_REFERENCE,
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
)
from pgemu.nodes.parsenodes import Alias, CommonTableExpr, RangeTblEntry
from pgemu.nodes.primnodes import Var
from pgemu.parser.parse_node import (
    ParseExprKind,
    ParseNamespaceItem,
    ParseState,
    make_var,
)
from pgemu.parser.parse_rte import (
    SYSTEM_COLUMNS,
    add_nsitem_to_query,
    add_range_table_entry,
    add_range_table_entry_for_cte,
    add_range_table_entry_for_enr,
    add_range_table_entry_for_function,
    add_range_table_entry_for_join,
    add_range_table_entry_for_relation,
    add_range_table_entry_for_subquery,
    add_range_table_entry_for_values,
    expand_nsitem_attrs,
    expand_nsitem_vars,
    expand_rte,
    get_cte_for_rte,
    get_rte_attribute_name,
    get_rte_by_range_table_posn,
    is_locked_refname,
    mark_var_for_select_priv,
    parser_open_table,
    rte_column_types,
    system_attribute,
)

__all__ = [
    "SYSTEM_COLUMNS",
    "add_nsitem_to_query",
    "add_range_table_entry",
    "add_range_table_entry_for_cte",
    "add_range_table_entry_for_enr",
    "add_range_table_entry_for_function",
    "add_range_table_entry_for_join",
    "add_range_table_entry_for_relation",
    "add_range_table_entry_for_subquery",
    "add_range_table_entry_for_values",
    "check_namespace_conflicts",
    "col_name_to_var",
    "error_missing_column",
    "error_missing_rte",
    "expand_nsitem_attrs",
    "expand_nsitem_vars",
    "expand_rte",
    "get_cte_for_rte",
    "get_nsitem_by_range_table_posn",
    "get_rte_attribute_name",
    "get_rte_by_range_table_posn",
    "is_future_cte",
    "is_locked_refname",
    "mark_var_for_select_priv",
    "parser_open_table",
    "refname_namespace_item",
    "rte_column_types",
    "scan_namespace_for_cte",
    "scan_nsitem_for_column",
    "system_attribute",
]

MAX_FUZZY_DISTANCE = 3


def refname_namespace_item(
    pstate: ParseState, schemaname: str | None, refname: str, location: int
) -> tuple[ParseNamespaceItem, int] | None:
    """The FROM item that `refname` or `schemaname.refname` names and how many levels up it is."""
    relid = 0
    if schemaname is not None:
        # only the relation of that very schema will do: find its OID first
        namespace = pstate.catalog.one(PgNamespace, nspname=schemaname)
        if namespace is None:
            return None
        row = pstate.catalog.one(PgClass, relname=refname, relnamespace=namespace.oid)
        if row is None:
            return None
        relid = row.oid
    level: ParseState | None = pstate
    levels_up = 0
    while level is not None:
        if relid:
            found = _scan_namespace_for_relid(level, relid, refname, location)
        else:
            found = _scan_namespace_for_refname(level, refname, location)
        if found is not None:
            return found, levels_up
        level = level.parent_pstate
        levels_up += 1
    return None


def _scan_namespace_for_refname(
    pstate: ParseState, refname: str, location: int
) -> ParseNamespaceItem | None:
    result: ParseNamespaceItem | None = None
    for nsitem in pstate.p_namespace:
        if not nsitem.p_rel_visible or nsitem.p_names.aliasname != refname:
            continue
        if nsitem.p_lateral_only and not pstate.p_lateral_active:
            continue
        if result is not None:
            raise PgError(
                AMBIGUOUS_ALIAS, f'table reference "{refname}" is ambiguous', location=location
            )
        _check_lateral_ref_ok(pstate, nsitem, location)
        result = nsitem
    return result


def _scan_namespace_for_relid(
    pstate: ParseState, relid: int, refname: str, location: int
) -> ParseNamespaceItem | None:
    result: ParseNamespaceItem | None = None
    for nsitem in pstate.p_namespace:
        rte = nsitem.p_rte
        if not nsitem.p_rel_visible or (nsitem.p_lateral_only and not pstate.p_lateral_active):
            continue
        if rte.rtekind != "relation" or rte.relid != relid or rte.alias is not None:
            continue
        if result is not None:
            raise PgError(
                AMBIGUOUS_ALIAS, f"table reference {relid} is ambiguous", location=location
            )
        _check_lateral_ref_ok(pstate, nsitem, location)
        result = nsitem
    return result


def scan_namespace_for_cte(pstate: ParseState, refname: str) -> tuple[CommonTableExpr, int] | None:
    """The WITH item of that name that is visible here, and how many levels up it is."""
    level: ParseState | None = pstate
    levels_up = 0
    while level is not None:
        for cte in level.p_ctenamespace:
            if cte.ctename == refname:
                return cte, levels_up
        level = level.parent_pstate
        levels_up += 1
    return None


def is_future_cte(pstate: ParseState, refname: str) -> bool:
    """Whether a WITH item of that name exists but may not be referenced yet."""
    level: ParseState | None = pstate
    while level is not None:
        if any(cte["ctename"] == refname for cte in level.p_future_ctes):
            return True
        level = level.parent_pstate
    return False


def check_namespace_conflicts(
    namespace1: list[ParseNamespaceItem], namespace2: list[ParseNamespaceItem]
) -> None:
    """Two FROM items of one name are an error, unless they are tables of different schemas."""
    if not namespace1 or not namespace2:
        return
    for item1 in namespace1:
        if not item1.p_rel_visible:
            continue
        name1 = item1.p_names.aliasname
        rte1 = item1.p_rte
        for item2 in namespace2:
            if not item2.p_rel_visible or item2.p_names.aliasname != name1:
                continue
            rte2 = item2.p_rte
            if (
                rte1.rtekind == "relation"
                and rte1.alias is None
                and rte2.rtekind == "relation"
                and rte2.alias is None
                and rte1.relid != rte2.relid
            ):
                continue
            raise PgError(DUPLICATE_ALIAS, f'table name "{name1}" specified more than once')


def _check_lateral_ref_ok(pstate: ParseState, nsitem: ParseNamespaceItem, location: int) -> None:
    if not nsitem.p_lateral_only or nsitem.p_lateral_ok:
        return
    name = nsitem.p_names.aliasname
    message = f'invalid reference to FROM-clause entry for table "{name}"'
    if nsitem.p_rte is _target_rte(pstate):
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            message,
            hint=f'There is an entry for table "{name}", but it cannot be referenced from this '
            "part of the query.",
            location=location,
        )
    raise PgError(
        INVALID_COLUMN_REFERENCE,
        message,
        detail="The combining JOIN type must be INNER or LEFT for a LATERAL reference.",
        location=location,
    )


def _target_rte(pstate: ParseState) -> RangeTblEntry | None:
    return pstate.p_target_nsitem.p_rte if pstate.p_target_nsitem is not None else None


def get_nsitem_by_range_table_posn(
    pstate: ParseState, varno: int, sublevels_up: int
) -> ParseNamespaceItem:
    """The name-space item of a range table entry (it must be visible in some way)."""
    for _ in range(sublevels_up):
        assert pstate.parent_pstate is not None
        pstate = pstate.parent_pstate
    for nsitem in pstate.p_namespace:
        if nsitem.p_rtindex == varno:
            return nsitem
    raise PgError("XX000", "nsitem not found (internal error)")


def scan_nsitem_for_column(
    pstate: ParseState, nsitem: ParseNamespaceItem, sublevels_up: int, colname: str, location: int
) -> Var | None:
    """The Var for a column of one FROM item, or None."""
    position = nsitem.p_colindex.get(colname, 0)
    if position < 0:
        raise PgError(
            AMBIGUOUS_COLUMN, f'column reference "{colname}" is ambiguous', location=location
        )
    if position == 0:
        if nsitem.p_rte.rtekind != "relation" or nsitem.p_rte.relkind in ("c", "v"):
            return None
        system = SYSTEM_COLUMNS.get(colname)
        if system is None:
            return None
        _check_system_column(pstate, colname, system[0], location)
        var = Var(nsitem.p_rtindex, system[0], system[1], -1, 0, sublevels_up, location)
    else:
        if (
            nsitem.p_relation is None or nsitem.p_nscolumns_made is not None
        ) and nsitem.p_nscolumns[position - 1].p_varno == 0:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{colname}" of relation "{nsitem.p_names.aliasname}" does not exist',
            )
        var = make_var(pstate, nsitem, position, location)
        var.varlevelsup = sublevels_up
    mark_var_for_select_priv(pstate, var)
    return var


def _check_system_column(pstate: ParseState, colname: str, attnum: int, location: int) -> None:
    kind = pstate.p_expr_kind
    message = ""
    if attnum != -6:
        if kind is ParseExprKind.EXPR_KIND_CHECK_CONSTRAINT:
            message = f'system column "{colname}" reference in check constraint is invalid'
        elif kind is ParseExprKind.EXPR_KIND_GENERATED_COLUMN:
            message = f'cannot use system column "{colname}" in column generation expression'
        elif kind is ParseExprKind.EXPR_KIND_MERGE_WHEN:
            message = f'cannot use system column "{colname}" in MERGE WHEN condition'
    if message:
        raise PgError(INVALID_COLUMN_REFERENCE, message, location=location)


def col_name_to_var(pstate: ParseState, colname: str, localonly: bool, location: int) -> Var | None:
    """The Var of an unqualified column name: the innermost level that has it wins; within that
    level it must be unique."""
    orig_pstate = pstate
    result: Var | None = None
    levels_up = 0
    level: ParseState | None = pstate
    while level is not None:
        for nsitem in level.p_namespace:
            if not nsitem.p_cols_visible:
                continue
            if nsitem.p_lateral_only and not level.p_lateral_active:
                continue
            newresult = scan_nsitem_for_column(orig_pstate, nsitem, levels_up, colname, location)
            if newresult is None:
                continue
            if result is not None:
                raise PgError(
                    AMBIGUOUS_COLUMN,
                    f'column reference "{colname}" is ambiguous',
                    location=location,
                )
            _check_lateral_ref_ok(level, nsitem, location)
            result = newresult
        if result is not None or localonly:
            break
        level = level.parent_pstate
        levels_up += 1
    return result


# ----------------------------------------------------------------------------- errors


def error_missing_rte(pstate: ParseState, relation: dict[str, Any]) -> NoReturn:
    """Raise for a qualified reference whose table is not in the name space."""
    relname: str = relation["relname"]
    location: int = relation.get("location", 0)
    rte = _search_range_table_for_rel(pstate, relation)
    bad_alias: str | None = None
    if rte is not None and rte.alias is not None and rte.eref.aliasname != relname:
        found = refname_namespace_item(pstate, None, rte.eref.aliasname, location)
        if found is not None and found[0].p_rte is rte:
            bad_alias = rte.eref.aliasname
    if rte is not None:
        if bad_alias is not None:
            hint = f'Perhaps you meant to reference the table alias "{bad_alias}".'
        else:
            hint = (
                f'There is an entry for table "{rte.eref.aliasname}", but it cannot be '
                "referenced from this part of the query."
            )
        raise PgError(
            UNDEFINED_TABLE,
            f'invalid reference to FROM-clause entry for table "{relname}"',
            hint=hint,
            location=location,
        )
    raise PgError(
        UNDEFINED_TABLE, f'missing FROM-clause entry for table "{relname}"', location=location
    )


def _search_range_table_for_rel(
    pstate: ParseState, relation: dict[str, Any]
) -> RangeTblEntry | None:
    """Any range table entry, visible or not, that the name might have meant."""
    refname: str = relation["relname"]
    relid = 0
    cte: tuple[CommonTableExpr, int] | None = None
    if not relation.get("schemaname"):
        cte = scan_namespace_for_cte(pstate, refname)
    if cte is None:
        relid = _range_var_relid(pstate, relation)
    levels_up = 0
    level: ParseState | None = pstate
    while level is not None:
        for rte in level.p_rtable:
            if rte.rtekind == "relation" and relid and rte.relid == relid:
                return rte
            if (
                rte.rtekind == "cte"
                and cte is not None
                and rte.ctelevelsup + levels_up == cte[1]
                and rte.ctename == refname
            ):
                return rte
            if rte.eref.aliasname == refname:
                return rte
        level = level.parent_pstate
        levels_up += 1
    return None


def _range_var_relid(pstate: ParseState, relation: dict[str, Any]) -> int:
    catalog = pstate.catalog
    schemaname = relation.get("schemaname")
    if schemaname:
        namespace = catalog.one(PgNamespace, nspname=schemaname)
        candidates = [namespace.oid] if namespace is not None else []
    else:
        candidates = catalog.search_path()
    for oid in candidates:
        row = catalog.one(PgClass, relname=relation["relname"], relnamespace=oid)
        if row is not None:
            return row.oid
    return 0


class _FuzzyMatch:
    """The best one or two column names seen so far for a misspelt name."""

    def __init__(self) -> None:
        self.distance = MAX_FUZZY_DISTANCE + 1
        self.first: tuple[RangeTblEntry, str] | None = None
        self.second: tuple[RangeTblEntry, str] | None = None
        self.exact: RangeTblEntry | None = None

    def update(self, penalty: int, rte: RangeTblEntry, actual: str, match: str) -> None:
        if penalty > self.distance or not actual:
            return
        columndistance = _levenshtein(actual, match, self.distance + 1 - penalty)
        # more than half of the characters differ: not a sensible suggestion
        if columndistance > len(match.encode()) // 2:
            return
        columndistance += penalty
        if columndistance < self.distance:
            self.distance = columndistance
            self.first = (rte, actual)
            self.second = None
        elif columndistance == self.distance:
            if self.second is not None:
                self.first = self.second = None
                self.distance = columndistance - 1
            elif self.first is not None:
                self.second = (rte, actual)
            elif self.distance <= MAX_FUZZY_DISTANCE:
                self.first = (rte, actual)


def _levenshtein(source: str, target: str, max_d: int) -> int:
    """Edit distance, or max_d + 1 when it is larger than max_d."""
    if abs(len(source) - len(target)) > max_d:
        return max_d + 1
    previous = list(range(len(target) + 1))
    for i, s in enumerate(source, 1):
        current = [i]
        for j, t in enumerate(target, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (s != t)))
        previous = current
    return min(previous[-1], max_d + 1)


def _search_range_table_for_col(
    pstate: ParseState, alias: str | None, colname: str, location: int
) -> _FuzzyMatch:
    state = _FuzzyMatch()
    level: ParseState | None = pstate
    while level is not None:
        for rte in level.p_rtable:
            if rte.rtekind == "join":
                continue
            penalty = 0
            if alias is not None:
                penalty = _levenshtein(alias, rte.eref.aliasname, MAX_FUZZY_DISTANCE + 1)
            exact = 0
            for name in rte.eref.colnames:
                if name == colname:
                    exact += 1
                state.update(penalty, rte, name, colname)
            if exact > 1:
                raise PgError(
                    AMBIGUOUS_COLUMN,
                    f'column reference "{colname}" is ambiguous',
                    location=location,
                )
            if (
                rte.rtekind == "relation"
                and rte.relkind not in ("v", "c")
                and colname in SYSTEM_COLUMNS
            ):
                exact += 1
            if exact and penalty == 0:
                state.exact = rte
                return state
        level = level.parent_pstate
    return state


def error_missing_column(
    pstate: ParseState, relname: str | None, colname: str, location: int
) -> NoReturn:
    """Raise 42703 for a column that was not found, with PostgreSQL's suggestions."""
    state = _search_range_table_for_col(pstate, relname, colname, location)
    hint: str | None = None
    if state.exact is not None:
        hint = (
            f'There is a column named "{colname}" in table "{state.exact.eref.aliasname}", but '
            "it cannot be referenced from this part of the query."
        )
    elif state.first is not None and state.second is not None:
        hint = (
            f"Perhaps you meant to reference the column {_quoted(state.first)} or the column "
            f"{_quoted(state.second)}."
        )
    elif state.first is not None:
        hint = f"Perhaps you meant to reference the column {_quoted(state.first)}."
    raise PgError(
        UNDEFINED_COLUMN,
        f"column {relname}.{colname} does not exist"
        if relname is not None
        else f'column "{colname}" does not exist',
        hint=hint,
        location=location,
    )


def _quoted(match: tuple[RangeTblEntry, str]) -> str:
    return f'"{match[0].eref.aliasname}.{match[1]}"'


def alias_of(raw: dict[str, Any] | None) -> Alias | None:
    """The analyzed Alias of a raw alias."""
    if raw is None:
        return None
    return Alias(raw["aliasname"], [c["String"].get("sval", "") for c in raw.get("colnames", ())])
