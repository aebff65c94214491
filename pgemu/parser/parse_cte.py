"""WITH (PostgreSQL's parse_cte.c): order of analysis, recursion checks, SEARCH and CYCLE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from pgemu.errors import PgError
from pgemu.errors.codes import (
    COLLATION_MISMATCH,
    DATATYPE_MISMATCH,
    DUPLICATE_ALIAS,
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    INVALID_COLUMN_REFERENCE,
    INVALID_RECURSION,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.parsenodes import (
    CommonTableExpr,
    CTECycleClause,
    CTESearchClause,
    Query,
    RangeTblRef,
)
from pgemu.nodes.primnodes import TargetEntry
from pgemu.parser.parse_node import ParseExprKind, ParseState
from pgemu.parser.type_oids import TEXTOID, UNKNOWNOID

RawNode = dict[str, Any]
_MATERIALIZED = {
    "CTEMaterializeDefault": None,
    "CTEMaterializeAlways": True,
    "CTEMaterializeNever": False,
}
_DML_TAGS = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def transform_with_clause(pstate: ParseState, with_clause: RawNode) -> list[CommonTableExpr]:
    """Analyze the WITH list and make its items visible to pstate."""
    items = [c["CommonTableExpr"] for c in with_clause["ctes"]]
    for position, item in enumerate(items):
        if any(other["ctename"] == item["ctename"] for other in items[:position]):
            raise PgError(
                DUPLICATE_ALIAS,
                f'WITH query name "{item["ctename"]}" specified more than once',
                location=item.get("location", 0),
            )
        tag = next(iter(item["ctequery"]))
        if tag == "MergeStmt":
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "MERGE not supported in WITH query",
                location=item.get("location", 0),
            )
        if tag != "SelectStmt":
            if pstate.parent_pstate is not None:
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    "WITH clause containing a data-modifying statement must be at the top level",
                    location=item.get("location", 0),
                )
            pstate.p_has_modifying_cte = True
    ctes = [_make_cte(item) for item in items]
    if with_clause.get("recursive"):
        order = _make_dependency_graph(items)
        recursive = {i for i, _ in enumerate(items) if _references_itself(items, i)}
        for index in recursive:
            ctes[index].cterecursive = True
        _check_well_formed_recursion(items, recursive)
        ctes = [ctes[i] for i in order]
        raws = [items[i] for i in order]
        # with RECURSIVE every item sees all of them
        pstate.p_ctenamespace = ctes
        for cte, raw in zip(ctes, raws, strict=True):
            analyze_cte(pstate, cte, raw)
    else:
        pstate.p_future_ctes = list(items)
        for cte, raw in zip(ctes, items, strict=True):
            analyze_cte(pstate, cte, raw)
            pstate.p_ctenamespace = [*pstate.p_ctenamespace, cte]
            pstate.p_future_ctes = pstate.p_future_ctes[1:]
    return pstate.p_ctenamespace


def _make_cte(item: RawNode) -> CommonTableExpr:
    return CommonTableExpr(
        item["ctename"],
        # not analyzed yet: add_range_table_entry_for_cte recognizes a self-reference by this
        cast(Query, None),
        [n["String"].get("sval", "") for n in item.get("aliascolnames", ())],
        _MATERIALIZED[item.get("ctematerialized", "CTEMaterializeDefault")],
        location=item.get("location", 0),
    )


def analyze_cte(pstate: ParseState, cte: CommonTableExpr, raw: RawNode) -> None:
    """Analyze one WITH item and compute its columns."""
    from pgemu.parser.analyze import parse_sub_analyze

    search, cycle = raw.get("search_clause"), raw.get("cycle_clause")
    if search is not None:
        cte.search_clause = CTESearchClause(
            [n["String"].get("sval", "") for n in search["search_col_list"]],
            bool(search.get("search_breadth_first")),
            search["search_seq_column"],
            search.get("location", 0),
        )
    if cycle is not None:
        _transform_cycle_clause(pstate, cte, cycle)
    query = parse_sub_analyze(raw["ctequery"], pstate, cte, False, True)
    if query.command_type == "utility":
        raise PgError("XX000", "unexpected utility statement in WITH")
    cte.ctequery = query
    query.can_set_tag = query.command_type == "select" and query.can_set_tag
    targets = query.target_list if query.command_type == "select" else query.returning_list
    if not cte.cterecursive:
        analyze_cte_target_list(pstate, cte, targets)
    else:
        _check_recursive_types(pstate, cte, targets)
    if cte.search_clause is not None or cte.cycle_clause is not None:
        _check_search_cycle(pstate, cte)


def analyze_cte_target_list(
    pstate: ParseState, cte: CommonTableExpr, tlist: list[TargetEntry]
) -> None:
    """Fill ctecolnames and the column types; an unknown column becomes text."""
    names: list[str] = list(cte.aliascolnames)
    numaliases = len(names)
    varattno = 0
    cte.ctecoltypes, cte.ctecoltypmods, cte.ctecolcollations = [], [], []
    for entry in tlist:
        if entry.resjunk:
            continue
        varattno += 1
        if varattno > numaliases:
            names.append(entry.resname or "")
        type_oid = expr_type(entry.expr)
        typmod = expr_typmod(entry.expr)
        collation = expr_collation(entry.expr)
        if cte.cterecursive and type_oid == UNKNOWNOID:
            type_oid, typmod, collation = TEXTOID, -1, 100
        cte.ctecoltypes.append(type_oid)
        cte.ctecoltypmods.append(typmod)
        cte.ctecolcollations.append(collation)
    if varattno < numaliases:
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            f'WITH query "{cte.ctename}" has {varattno} columns available but {numaliases} '
            "columns specified",
            location=cte.location,
        )
    cte.ctecolnames = names


def _check_recursive_types(
    pstate: ParseState, cte: CommonTableExpr, targets: list[TargetEntry]
) -> None:
    """The whole query must have the column types of its non-recursive term."""
    catalog = pstate.catalog
    position = 0
    for entry in targets:
        if entry.resjunk:
            continue
        if position >= len(cte.ctecoltypes):
            raise PgError("XX000", "wrong number of output columns in WITH")
        type_oid, typmod = cte.ctecoltypes[position], cte.ctecoltypmods[position]
        collation = cte.ctecolcollations[position]
        position += 1
        node = entry.expr
        if expr_type(node) != type_oid or expr_typmod(node) != typmod:
            raise PgError(
                DATATYPE_MISMATCH,
                f'recursive query "{cte.ctename}" column {position} has type '
                f"{catalog.type_name(type_oid, typmod)} in non-recursive term but type "
                f"{catalog.type_name(expr_type(node), expr_typmod(node))} overall",
                hint="Cast the output of the non-recursive term to the correct type.",
                location=expr_location(node),
            )
        if expr_collation(node) != collation:
            raise PgError(
                COLLATION_MISMATCH,
                f'recursive query "{cte.ctename}" column {position} has collation '
                f'"{_collation_name(catalog, collation)}" in non-recursive term but collation '
                f'"{_collation_name(catalog, expr_collation(node))}" overall',
                hint="Use the COLLATE clause to set the collation of the non-recursive term.",
                location=expr_location(node),
            )


def _collation_name(catalog: Any, oid: int) -> str:
    from pgemu.catalog.rows import PgCollation

    row = catalog.one(PgCollation, oid=oid)
    return row.collname if row is not None else ""


# ----------------------------------------------------------------------------- SEARCH, CYCLE


def _transform_cycle_clause(pstate: ParseState, cte: CommonTableExpr, cycle: RawNode) -> None:
    from pgemu.parser.parse_coerce import (
        coerce_to_common_type,
        select_common_type,
        select_common_typmod,
    )
    from pgemu.parser.parse_collate import select_common_collation
    from pgemu.parser.parse_expr import transform_expr
    from pgemu.parser.parse_oper import get_sort_group_operators

    location = cycle.get("location", 0)
    kind = ParseExprKind.EXPR_KIND_CYCLE_MARK
    value = transform_expr(pstate, cycle["cycle_mark_value"], kind)
    default = transform_expr(pstate, cycle["cycle_mark_default"], kind)
    type_oid = select_common_type(pstate, [value, default], "CYCLE")
    value = coerce_to_common_type(pstate, value, type_oid, "CYCLE/SET/TO")
    default = coerce_to_common_type(pstate, default, type_oid, "CYCLE/SET/DEFAULT")
    _lt, eq, _gt, _hash = get_sort_group_operators(pstate, type_oid, False, False, False, location)
    if not eq:
        raise PgError(
            UNDEFINED_FUNCTION,
            "could not identify an equality operator for type "
            f"{pstate.catalog.type_name(type_oid)}",
        )
    from pgemu.parser.parse_cache import get_operator

    neop = get_operator(pstate.catalog, eq).oprnegate
    if not neop:
        raise PgError(
            UNDEFINED_FUNCTION,
            "could not identify an inequality operator for type "
            f"{pstate.catalog.type_name(type_oid)}",
        )
    cte.cycle_clause = CTECycleClause(
        [n["String"].get("sval", "") for n in cycle["cycle_col_list"]],
        cycle["cycle_mark_column"],
        value,
        default,
        cycle["cycle_path_column"],
        type_oid,
        select_common_typmod(pstate, [value, default], type_oid),
        select_common_collation(pstate, [value, default], True),
        neop,
        location,
    )


def _check_search_cycle(pstate: ParseState, cte: CommonTableExpr) -> None:
    query = cte.ctequery
    search, cycle = cte.search_clause, cte.cycle_clause
    if not cte.cterecursive:
        raise PgError(SYNTAX_ERROR, "WITH query is not recursive", location=cte.location)
    tree = query.set_operations
    assert tree is not None
    for side, where in ((tree.larg, "left"), (tree.rarg, "right")):
        leaf = query.rtable[side.rtindex - 1] if isinstance(side, RangeTblRef) else None
        if leaf is None or leaf.subquery is None or leaf.subquery.set_operations is not None:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"with a SEARCH or CYCLE clause, the {where} side of the UNION must be a SELECT",
            )
    if search is not None:
        _check_columns(cte, search.search_col_list, "search", search.location)
        if search.search_seq_column in cte.ctecolnames:
            raise PgError(
                SYNTAX_ERROR,
                f'search sequence column name "{search.search_seq_column}" already used in WITH '
                "query column list",
                location=search.location,
            )
    if cycle is not None:
        _check_columns(cte, cycle.cycle_col_list, "cycle", cycle.location)
        for name, what in (
            (cycle.cycle_mark_column, "mark"),
            (cycle.cycle_path_column, "path"),
        ):
            if name in cte.ctecolnames:
                raise PgError(
                    SYNTAX_ERROR,
                    f'cycle {what} column name "{name}" already used in WITH query column list',
                    location=cycle.location,
                )
        if cycle.cycle_mark_column == cycle.cycle_path_column:
            raise PgError(
                SYNTAX_ERROR,
                "cycle mark column name and cycle path column name are the same",
                location=cycle.location,
            )
    if search is not None and cycle is not None:
        for name, what in (
            (cycle.cycle_mark_column, "mark"),
            (cycle.cycle_path_column, "path"),
        ):
            if search.search_seq_column == name:
                raise PgError(
                    SYNTAX_ERROR,
                    f"search sequence column name and cycle {what} column name are the same",
                    location=search.location,
                )


def _check_columns(cte: CommonTableExpr, columns: list[str], what: str, location: int) -> None:
    for position, name in enumerate(columns):
        if name not in cte.ctecolnames:
            raise PgError(
                SYNTAX_ERROR,
                f'{what} column "{name}" not in WITH query column list',
                location=location,
            )
        if name in columns[:position]:
            raise PgError(
                DUPLICATE_COLUMN,
                f'{what} column "{name}" specified more than once',
                location=location,
            )


# ----------------------------------------------------------------------------- dependencies


def _range_vars(node: Any, hidden: frozenset[str] = frozenset()) -> Iterator[RawNode]:
    """Unqualified RangeVars in a raw tree that are not hidden by an inner WITH item."""
    if isinstance(node, list):
        for item in node:
            yield from _range_vars(item, hidden)
        return
    if not isinstance(node, dict):
        return
    range_var = node.get("RangeVar")
    if range_var is not None:
        if not range_var.get("schemaname") and range_var["relname"] not in hidden:
            yield range_var
        return
    with_clause = node.get("withClause")
    if with_clause:
        ctes = [c["CommonTableExpr"] for c in with_clause["ctes"]]
        all_names = hidden | {c["ctename"] for c in ctes}
        if with_clause.get("recursive"):
            for cte in ctes:
                yield from _range_vars(cte["ctequery"], all_names)
        else:
            seen = hidden
            for cte in ctes:
                yield from _range_vars(cte["ctequery"], seen)
                seen = seen | {cte["ctename"]}
        hidden = all_names
    for key, value in node.items():
        if key != "withClause":
            yield from _range_vars(value, hidden)


def _depends_on(items: list[RawNode], index: int) -> set[int]:
    names = {item["ctename"]: i for i, item in enumerate(items)}
    return {
        names[v["relname"]] for v in _range_vars(items[index]["ctequery"]) if v["relname"] in names
    }


def _references_itself(items: list[RawNode], index: int) -> bool:
    return index in _depends_on(items, index)


def _make_dependency_graph(items: list[RawNode]) -> list[int]:
    """Indexes in an order in which every item comes after those it refers to."""
    remaining = {i: _depends_on(items, i) - {i} for i in range(len(items))}
    order: list[int] = []
    while remaining:
        ready = next((i for i, deps in remaining.items() if not deps), None)
        if ready is None:
            first = next(iter(remaining))
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "mutual recursion between WITH items is not implemented",
                location=items[first].get("location", 0),
            )
        del remaining[ready]
        for deps in remaining.values():
            deps.discard(ready)
        order.append(ready)
    return order


_RECURSION_ERRORS = {
    "non_recursive": 'recursive reference to query "{}" must not appear within its '
    "non-recursive term",
    "subquery": 'recursive reference to query "{}" must not appear within a subquery',
    "outer": 'recursive reference to query "{}" must not appear within an outer join',
    "intersect": 'recursive reference to query "{}" must not appear within INTERSECT',
    "except": 'recursive reference to query "{}" must not appear within EXCEPT',
}


def _check_well_formed_recursion(items: list[RawNode], recursive: set[int]) -> None:
    for index in sorted(recursive):
        item = items[index]
        name, location = item["ctename"], item.get("location", 0)
        tag, stmt = next(iter(item["ctequery"].items()))
        if tag in _DML_TAGS:
            raise PgError(
                INVALID_RECURSION,
                f'recursive query "{name}" must not contain data-modifying statements',
                location=location,
            )
        if stmt.get("op") != "SETOP_UNION":
            raise PgError(
                INVALID_RECURSION,
                f'recursive query "{name}" does not have the form non-recursive-term UNION [ALL] '
                "recursive-term",
                location=location,
            )
        _WellFormed(name).check(stmt["larg"], "non_recursive")
        checker = _WellFormed(name)
        checker.check(stmt["rarg"], "ok")
        for clause, word in (
            ("sortClause", "ORDER BY"),
            ("limitOffset", "OFFSET"),
            ("limitCount", "LIMIT"),
            ("lockingClause", "FOR UPDATE/SHARE"),
        ):
            if stmt.get(clause):
                from pgemu.parser.raw_location import raw_location

                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    f"{word} in a recursive query is not implemented",
                    location=raw_location(stmt[clause]),
                )
        if stmt.get("withClause"):
            checker.check({"withClause": stmt["withClause"]}, "subquery")


class _WellFormed:
    """Walks a recursive term: the self-reference may stand only where the context is "ok", and
    only once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def check(self, node: Any, context: str, hidden: bool = False) -> None:
        if isinstance(node, list):
            for item in node:
                self.check(item, context, hidden)
        elif isinstance(node, dict):
            self._check_dict(node, context, hidden)

    def _check_dict(self, node: RawNode, context: str, hidden: bool) -> None:
        if "RangeVar" in node:
            self._check_range_var(node["RangeVar"], context, hidden)
        elif "JoinExpr" in node:
            self._check_join(node["JoinExpr"], context, hidden)
        elif "SubLink" in node:
            link = node["SubLink"]
            inner = "subquery" if context == "ok" else context
            self.check(link.get("subselect"), inner, hidden)
            self.check(link.get("testexpr"), context, hidden)
        elif "SelectStmt" in node:
            self._check_select(node["SelectStmt"], context, hidden)
        elif ("op" in node and "limitOption" in node) or "withClause" in node:
            self._check_select(node, context, hidden)
        else:
            for value in node.values():
                self.check(value, context, hidden)

    def _check_range_var(self, range_var: RawNode, context: str, hidden: bool) -> None:
        if range_var.get("schemaname") or range_var["relname"] != self.name or hidden:
            return
        location = range_var.get("location", 0)
        if context != "ok":
            raise PgError(
                INVALID_RECURSION,
                _RECURSION_ERRORS[context].format(self.name),
                location=location,
            )
        self.count += 1
        if self.count > 1:
            raise PgError(
                INVALID_RECURSION,
                f'recursive reference to query "{self.name}" must not appear more than once',
                location=location,
            )

    def _check_join(self, join: RawNode, context: str, hidden: bool) -> None:
        jointype = join["jointype"]
        left = right = context
        if context == "ok":
            left = "outer" if jointype in ("JOIN_RIGHT", "JOIN_FULL") else context
            right = "outer" if jointype in ("JOIN_LEFT", "JOIN_FULL") else context
        self.check(join.get("larg"), left, hidden)
        self.check(join.get("rarg"), right, hidden)
        self.check(join.get("quals"), context, hidden)

    def _check_select(self, stmt: RawNode, context: str, hidden: bool) -> None:
        with_clause = stmt.get("withClause")
        if with_clause:
            ctes = [c["CommonTableExpr"] for c in with_clause["ctes"]]
            names = {c["ctename"] for c in ctes}
            hides = self.name in names
            for cte in ctes:
                self.check(
                    cte["ctequery"],
                    context,
                    hidden or (hides and bool(with_clause.get("recursive"))),
                )
            hidden = hidden or hides
        op = stmt.get("op", "SETOP_NONE")
        left = right = context
        if context == "ok":
            if op == "SETOP_INTERSECT":
                left = right = "intersect" if stmt.get("all") else context
            elif op == "SETOP_EXCEPT":
                left = "except" if stmt.get("all") else context
                right = "except"
        self.check(stmt.get("larg"), left, hidden)
        self.check(stmt.get("rarg"), right, hidden)
        for key, value in stmt.items():
            if key not in ("larg", "rarg", "withClause"):
                self.check(value, context, hidden)
