"""GROUP BY, ORDER BY, DISTINCT and how they find output columns (PostgreSQL's parse_clause.c,
its last two thirds).

SQL92 rule (ORDER BY, GROUP BY, DISTINCT ON): a bare name is an output column first (GROUP BY: an
input column first), an integer constant is a position.  SQL99 rule (everything inside window
definitions and aggregates): an ordinary expression.
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import (
    AMBIGUOUS_COLUMN,
    INVALID_COLUMN_REFERENCE,
    STATEMENT_TOO_COMPLEX,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
)
from pgemu.nodes.nodefuncs import expr_location, expr_type
from pgemu.nodes.parsenodes import GroupingSet
from pgemu.nodes.primnodes import (
    SortGroupClause,
    TargetEntry,
)
from pgemu.parser.parse_agg import check_no_aggregates_or_windows
from pgemu.parser.parse_cache import get_operator
from pgemu.parser.parse_coerce import coerce_type, strip_implicit_coercions
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import ParseExprKind, ParseState
from pgemu.parser.parse_oper import (
    compatible_oper,
    get_equality_op_for_ordering_op,
    get_sort_group_operators,
)
from pgemu.parser.parse_relation import col_name_to_var
from pgemu.parser.parse_target import transform_target_entry
from pgemu.parser.raw_location import raw_location
from pgemu.parser.type_oids import TEXTOID, UNKNOWNOID

K = ParseExprKind
RawNode = dict[str, Any]

EXPR_KIND_NAMES = {
    K.EXPR_KIND_GROUP_BY: "GROUP BY",
    K.EXPR_KIND_ORDER_BY: "ORDER BY",
    K.EXPR_KIND_DISTINCT_ON: "DISTINCT ON",
    K.EXPR_KIND_WINDOW_PARTITION: "window PARTITION BY",
    K.EXPR_KIND_WINDOW_ORDER: "window ORDER BY",
}


# ----------------------------------------------------------------------------- finding targets


def _check_target_kind(pstate: ParseState, entry: TargetEntry, expr_kind: ParseExprKind) -> None:
    """checkTargetlistEntrySQL92: a target matched by name or position may not hold what the
    clause itself could not."""
    if expr_kind is not K.EXPR_KIND_GROUP_BY:
        return
    if pstate.p_has_aggs or pstate.p_has_window_funcs:
        check_no_aggregates_or_windows(pstate, entry.expr, "GROUP BY")


def find_targetlist_entry_sql92(
    pstate: ParseState, node: RawNode, tlist: list[TargetEntry], expr_kind: ParseExprKind
) -> TargetEntry:
    """The target entry a GROUP BY, ORDER BY or DISTINCT ON item means (added when new)."""
    clause = EXPR_KIND_NAMES[expr_kind]
    tag, body = next(iter(node.items()))
    if tag == "ColumnRef" and len(body["fields"]) == 1 and "String" in body["fields"][0]:
        name: str | None = body["fields"][0]["String"].get("sval", "")
        location = body.get("location", 0)
        if expr_kind is K.EXPR_KIND_GROUP_BY:
            # an input column hides an output column of the same name
            assert name is not None
            if col_name_to_var(pstate, name, True, location) is not None:
                name = None
        if name is not None:
            found = _target_named(tlist, name, clause, location)
            if found is not None:
                _check_target_kind(pstate, found, expr_kind)
                return found
    elif tag == "A_Const":
        return _target_at_position(pstate, body, tlist, expr_kind)
    return find_targetlist_entry_sql99(pstate, node, tlist, expr_kind)


def _target_named(
    tlist: list[TargetEntry], name: str, clause: str, location: int
) -> TargetEntry | None:
    found: TargetEntry | None = None
    for entry in tlist:
        if entry.resjunk or entry.resname != name:
            continue
        if found is not None and found.expr != entry.expr:
            raise PgError(AMBIGUOUS_COLUMN, f'{clause} "{name}" is ambiguous', location=location)
        if found is None:
            found = entry
    return found


def _target_at_position(
    pstate: ParseState, const: RawNode, tlist: list[TargetEntry], expr_kind: ParseExprKind
) -> TargetEntry:
    clause = EXPR_KIND_NAMES[expr_kind]
    location = const.get("location", 0)
    if "ival" not in const:
        raise PgError(SYNTAX_ERROR, f"non-integer constant in {clause}", location=location)
    position = const["ival"].get("ival", 0)
    pstate.note_literal_used(location)
    targetlist_pos = 0
    for entry in tlist:
        if entry.resjunk:
            continue
        targetlist_pos += 1
        if targetlist_pos == position:
            _check_target_kind(pstate, entry, expr_kind)
            return entry
    raise PgError(
        INVALID_COLUMN_REFERENCE,
        f"{clause} position {position} is not in select list",
        location=location,
    )


def find_targetlist_entry_sql99(
    pstate: ParseState, node: RawNode, tlist: list[TargetEntry], expr_kind: ParseExprKind
) -> TargetEntry:
    """The target entry equal to an expression; a resjunk one is added when there is none."""
    expr = transform_expr(pstate, node, expr_kind)
    for entry in tlist:
        if equal(expr, strip_implicit_coercions(entry.expr)):
            return entry
    target = transform_target_entry(pstate, node, expr, expr_kind, None, True)
    tlist.append(target)
    return target


def equal(a: Any, b: Any) -> bool:
    """PostgreSQL's equal(): the same expression, wherever in the text the two stand."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    slots = _COMPARED.get(type(a))
    if slots is None:
        fields = getattr(type(a), "__dataclass_fields__", None)
        if fields is None:
            return bool(a == b)
        ignored = (
            "location",
            "literal_location",
            "funcformat",
            "relabelformat",
            "coerceformat",
            "convertformat",
            "coercionformat",
            "row_format",
        )
        slots = _COMPARED[type(a)] = tuple(f for f in fields if f not in ignored)
    return all(equal(getattr(a, s), getattr(b, s)) for s in slots)


# class -> the fields that count for equal(); a pure function of the class
_COMPARED: dict[type, tuple[str, ...]] = {}


# ----------------------------------------------------------------------------- ORDER BY


def transform_sort_clause(
    pstate: ParseState,
    orderlist: list[RawNode],
    targetlist: list[TargetEntry],
    expr_kind: ParseExprKind,
    use_sql99: bool,
) -> list[SortGroupClause]:
    """ORDER BY items as SortGroupClauses over the target list."""
    sortlist: list[SortGroupClause] = []
    find = find_targetlist_entry_sql99 if use_sql99 else find_targetlist_entry_sql92
    for item in orderlist:
        sortby = item["SortBy"]
        entry = find(pstate, sortby["node"], targetlist, expr_kind)
        add_target_to_sort_list(pstate, entry, sortlist, targetlist, sortby)
    return sortlist


def assign_sort_group_ref(entry: TargetEntry, tlist: list[TargetEntry]) -> int:
    """Give the entry a number unique within the list, if it has none."""
    if not entry.ressortgroupref:
        entry.ressortgroupref = 1 + max((e.ressortgroupref for e in tlist), default=0)
    return entry.ressortgroupref


def target_is_in_sort_list(
    pstate: ParseState, entry: TargetEntry, sortop: int, sortlist: list[SortGroupClause]
) -> bool:
    """Whether the list sorts by the entry already (by sortop or its reverse; 0: by any)."""
    ref = entry.ressortgroupref
    if ref == 0:
        return False
    for clause in sortlist:
        if clause.tle_sort_group_ref == ref and (
            sortop == 0 or sortop == clause.sortop or sortop == _commutator(pstate, clause.sortop)
        ):
            return True
    return False


def _commutator(pstate: ParseState, opno: int) -> int:
    return get_operator(pstate.catalog, opno).oprcom if opno else 0


def _untype(pstate: ParseState, entry: TargetEntry) -> int:
    """The type to sort by; an unknown literal becomes text."""
    restype = expr_type(entry.expr)
    if restype == UNKNOWNOID:
        entry.expr = coerce_type(
            pstate, entry.expr, UNKNOWNOID, TEXTOID, -1, "implicit", "implicit_cast", -1
        )
        restype = TEXTOID
    return restype


def add_target_to_sort_list(
    pstate: ParseState,
    entry: TargetEntry,
    sortlist: list[SortGroupClause],
    targetlist: list[TargetEntry],
    sortby: RawNode,
) -> list[SortGroupClause]:
    """Append one ORDER BY item, unless the list has it already."""
    restype = _untype(pstate, entry)
    direction = sortby.get("sortby_dir", "SORTBY_DEFAULT")
    nulls = sortby.get("sortby_nulls", "SORTBY_NULLS_DEFAULT")
    location = sortby.get("location", -1)
    if direction == "SORTBY_USING" and location >= 0:
        at = location
    else:
        at = raw_location(sortby["node"])
    reverse = direction == "SORTBY_DESC"
    if direction == "SORTBY_USING":
        sortop, eqop, reverse, hashable = _using_operator(pstate, sortby, restype, at)
    else:
        lt, eqop, gt, hashable = get_sort_group_operators(
            pstate, restype, not reverse, True, reverse, at
        )
        sortop = gt if reverse else lt
    if not target_is_in_sort_list(pstate, entry, sortop, sortlist):
        nulls_first = {
            "SORTBY_NULLS_DEFAULT": reverse,
            "SORTBY_NULLS_FIRST": True,
            "SORTBY_NULLS_LAST": False,
        }[nulls]
        sortlist.append(
            SortGroupClause(
                assign_sort_group_ref(entry, targetlist),
                eqop,
                sortop,
                nulls_first,
                hashable,
                reverse,
            )
        )
    return sortlist


def _using_operator(
    pstate: ParseState, sortby: RawNode, restype: int, location: int
) -> tuple[int, int, bool, bool]:
    """(sort operator, equality operator, descending, hashable) of ORDER BY ... USING op."""
    names = [n["String"].get("sval", "") for n in sortby["useOp"]]
    operator = compatible_oper(pstate, sortby["useOp"], restype, restype, False, location)
    assert operator is not None
    found = get_equality_op_for_ordering_op(pstate.catalog, operator.oid)
    if found is None:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"operator {'.'.join(names)} is not a valid ordering operator",
            hint='Ordering operators must be "<" or ">" members of btree operator families.',
            location=location,
        )
    equality = get_operator(pstate.catalog, found[0])
    return operator.oid, found[0], found[1], equality.oprcanhash


def add_target_to_group_list(
    pstate: ParseState,
    entry: TargetEntry,
    grouplist: list[SortGroupClause],
    targetlist: list[TargetEntry],
    location: int,
) -> list[SortGroupClause]:
    """Append a grouping by the type's default operators, unless the list has it already."""
    restype = _untype(pstate, entry)
    if not target_is_in_sort_list(pstate, entry, 0, grouplist):
        sortop, eqop, _gt, hashable = get_sort_group_operators(
            pstate, restype, False, True, False, location
        )
        grouplist.append(
            SortGroupClause(assign_sort_group_ref(entry, targetlist), eqop, sortop, False, hashable)
        )
    return grouplist


# ----------------------------------------------------------------------------- DISTINCT


def transform_distinct_clause(
    pstate: ParseState,
    targetlist: list[TargetEntry],
    sort_clause: list[SortGroupClause],
    is_agg: bool,
) -> list[SortGroupClause]:
    """DISTINCT: the ORDER BY columns first, then all others."""
    from dataclasses import replace

    result: list[SortGroupClause] = []
    for clause in sort_clause:
        entry = get_sortgroupref_tle(clause.tle_sort_group_ref, targetlist)
        if entry.resjunk:
            raise PgError(
                INVALID_COLUMN_REFERENCE,
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
                if is_agg
                else "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                location=expr_location(entry.expr),
            )
        result.append(replace(clause))
    for entry in targetlist:
        if not entry.resjunk:
            add_target_to_group_list(pstate, entry, result, targetlist, expr_location(entry.expr))
    if not result:
        raise PgError(
            SYNTAX_ERROR,
            "an aggregate with DISTINCT must have at least one argument"
            if is_agg
            else "SELECT DISTINCT must have at least one column",
        )
    return result


def transform_distinct_on_clause(
    pstate: ParseState,
    distinctlist: list[RawNode],
    targetlist: list[TargetEntry],
    sort_clause: list[SortGroupClause],
) -> list[SortGroupClause]:
    """DISTINCT ON: its expressions must be the first of ORDER BY."""
    from dataclasses import replace

    mismatch = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
    refs: list[int] = []
    for raw in distinctlist:
        entry = find_targetlist_entry_sql92(pstate, raw, targetlist, K.EXPR_KIND_DISTINCT_ON)
        refs.append(assign_sort_group_ref(entry, targetlist))
    result: list[SortGroupClause] = []
    skipped = False
    for clause in sort_clause:
        if clause.tle_sort_group_ref in refs:
            if skipped:
                at = raw_location(distinctlist[refs.index(clause.tle_sort_group_ref)])
                raise PgError(INVALID_COLUMN_REFERENCE, mismatch, location=at)
            result.append(replace(clause))
        else:
            skipped = True
    for raw, ref in zip(distinctlist, refs, strict=True):
        entry = get_sortgroupref_tle(ref, targetlist)
        if target_is_in_sort_list(pstate, entry, 0, result):
            continue
        if skipped:
            raise PgError(INVALID_COLUMN_REFERENCE, mismatch, location=raw_location(raw))
        add_target_to_group_list(pstate, entry, result, targetlist, raw_location(raw))
    return result


def get_sortgroupref_tle(ref: int, tlist: list[TargetEntry]) -> TargetEntry:
    """The entry with that sort/group number."""
    for entry in tlist:
        if entry.ressortgroupref == ref:
            return entry
    raise PgError("XX000", "ORDER/GROUP BY expression not found in targetlist")


# ----------------------------------------------------------------------------- GROUP BY


def transform_group_clause(
    pstate: ParseState,
    grouplist: list[RawNode],
    targetlist: list[TargetEntry],
    sort_clause: list[SortGroupClause],
    expr_kind: ParseExprKind,
    use_sql99: bool,
) -> tuple[list[SortGroupClause], list[GroupingSet]]:
    """(grouping columns, grouping sets or [])."""
    group = _GroupClause(pstate, targetlist, sort_clause, expr_kind, use_sql99)
    flat, has_sets = _flatten_grouping_sets(grouplist, True)
    gsets: list[GroupingSet] = []
    if not flat and has_sets:
        gsets.append(GroupingSet("empty", location=raw_location(grouplist)))
    seen_local: set[int] = set()
    for raw in flat:
        if "GroupingSet" in raw:
            gset = raw["GroupingSet"]
            kind = gset["kind"]
            location = gset.get("location", 0)
            if kind == "GROUPING_SET_EMPTY":
                gsets.append(GroupingSet("empty", location=location))
            elif kind == "GROUPING_SET_SIMPLE":
                gsets.append(GroupingSet("simple", gset.get("content", []), location))
            else:
                gsets.append(group.grouping_set(gset, True))
        else:
            ref = group.expression(seen_local, raw, True)
            if ref > 0:
                seen_local.add(ref)
                if has_sets:
                    gsets.append(GroupingSet("simple", [ref], raw_location(raw)))
    return group.result, gsets


_SET_KINDS = {
    "GROUPING_SET_ROLLUP": "rollup",
    "GROUPING_SET_CUBE": "cube",
    "GROUPING_SET_SETS": "sets",
    "GROUPING_SET_EMPTY": "empty",
    "GROUPING_SET_SIMPLE": "simple",
}


def _flatten_grouping_sets(nodes: list[RawNode], toplevel: bool) -> tuple[list[RawNode], bool]:
    """flatten_grouping_sets: drop useless nesting; (items, whether there are grouping sets)."""
    out: list[RawNode] = []
    has_sets = False
    for node in nodes:
        if "RowExpr" in node and node["RowExpr"].get("row_format") == "COERCE_IMPLICIT_CAST":
            inner, more = _flatten_grouping_sets(node["RowExpr"].get("args", []), False)
            # a list inside a list is part of it
            flat = [one for item in inner for one in item.get("List", {"items": [item]})["items"]]
            if toplevel:
                out.extend(flat)
                has_sets = has_sets or more
            else:
                out.append({"List": {"items": flat}})
        elif "GroupingSet" in node:
            gset = node["GroupingSet"]
            has_sets = True
            content: list[RawNode] = []
            for sub in gset.get("content", []):
                if (
                    "GroupingSet" in sub
                    and sub["GroupingSet"]["kind"] in ("GROUPING_SET_SETS",)
                    and gset["kind"] == "GROUPING_SET_SETS"
                ):
                    content.extend(
                        _flatten_grouping_sets([sub], False)[0][0]["GroupingSet"].get("content", [])
                    )
                else:
                    content.extend(_flatten_grouping_sets([sub], False)[0])
            if toplevel and gset["kind"] == "GROUPING_SET_EMPTY":
                # GROUP BY () alone means one group; with others it changes nothing
                if len(nodes) == 1:
                    out.append(node)
                continue
            out.append({"GroupingSet": {**gset, "content": content}})
        else:
            out.append(node)
    return out, has_sets


class _GroupClause:
    """The working state of transform_group_clause."""

    def __init__(
        self,
        pstate: ParseState,
        targetlist: list[TargetEntry],
        sort_clause: list[SortGroupClause],
        expr_kind: ParseExprKind,
        use_sql99: bool,
    ) -> None:
        self.pstate = pstate
        self.targetlist = targetlist
        self.sort_clause = sort_clause
        self.expr_kind = expr_kind
        self.use_sql99 = use_sql99
        self.result: list[SortGroupClause] = []

    def expression(self, seen_local: set[int], raw: RawNode, toplevel: bool) -> int:
        """transformGroupClauseExpr: the reference number of one grouping expression; 0 when the
        list has it already."""
        from dataclasses import replace

        find = find_targetlist_entry_sql99 if self.use_sql99 else find_targetlist_entry_sql92
        entry = find(self.pstate, raw, self.targetlist, self.expr_kind)
        found = False
        if entry.ressortgroupref > 0:
            if entry.ressortgroupref in seen_local:
                return 0
            if target_is_in_sort_list(self.pstate, entry, 0, self.result):
                return entry.ressortgroupref
            for clause in self.sort_clause:
                if clause.tle_sort_group_ref == entry.ressortgroupref:
                    # take over the sort operator; NULLS placement matters only at top level
                    copy = replace(clause)
                    if not toplevel:
                        copy.nulls_first = False
                    self.result.append(copy)
                    found = True
                    break
        if not found:
            add_target_to_group_list(
                self.pstate, entry, self.result, self.targetlist, raw_location(raw)
            )
        return entry.ressortgroupref

    def expression_list(self, items: list[RawNode], toplevel: bool) -> list[int]:
        refs: list[int] = []
        seen: set[int] = set()
        for raw in items:
            ref = self.expression(seen, raw, toplevel)
            if ref > 0:
                seen.add(ref)
                refs.append(ref)
        return refs

    def grouping_set(self, gset: RawNode, toplevel: bool) -> GroupingSet:
        kind = _SET_KINDS[gset["kind"]]
        location = gset.get("location", 0)
        content: list[Any] = []
        for raw in gset.get("content", []):
            if "List" in raw:
                refs = self.expression_list(raw["List"].get("items", []), False)
                content.append(GroupingSet("simple", refs, raw_location(raw)))
            elif "GroupingSet" in raw:
                content.append(self.grouping_set(raw["GroupingSet"], False))
            else:
                ref = self.expression(set(), raw, False)
                content.append(GroupingSet("simple", [ref], raw_location(raw)))
        if kind == "cube" and len(content) > 12:
            raise PgError(
                STATEMENT_TOO_COMPLEX, "CUBE is limited to 12 elements", location=location
            )
        return GroupingSet(kind, content, location)
