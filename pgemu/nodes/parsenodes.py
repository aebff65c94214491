"""The analyzed Query tree (PostgreSQL's parsenodes.h, the part after analysis).

The raw tree is what pgparse returns: nested dicts {"SelectStmt": {...}}; fields that hold zero,
false or an empty list are absent from it.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from pgemu.nodes.node_class import node
from pgemu.nodes.primnodes import Expr, SortGroupClause, TableFunc, TargetEntry

RawNode = dict[str, Any]


@node
class RawStmt:
    """One statement of a query string: `node` is {"SelectStmt": {...}}; location and length are
    byte offsets in the whole string (length 0: to the end)."""

    node: RawNode
    location: int = 0
    length: int = 0

    @property
    def tag(self) -> str:
        return next(iter(self.node))

    @property
    def body(self) -> RawNode:
        body: RawNode = next(iter(self.node.values()))
        return body


@node
class Alias:
    aliasname: str
    colnames: list[str] = field(default_factory=list)


@node
class RangeTblFunction:
    """One function of FROM: col* describe the columns when the result is a record with a column
    definition list; otherwise they are derived from the function's result type."""

    funcexpr: Expr
    colnames: list[str] = field(default_factory=list)
    coltypes: list[int] = field(default_factory=list)
    coltypmods: list[int] = field(default_factory=list)
    colcollations: list[int] = field(default_factory=list)
    coldeflist: bool = False


@node
class RangeTblEntry:
    """rtekind: "relation", "subquery", "join", "function", "values", "cte", "result",
    "tablefunc", "namedtuplestore".

    eref.colnames always lists every column.  coltypes/coltypmods/colcollations are filled for all
    kinds except "relation" (the catalog tells; dropped columns keep their place there with
    colname "") and "join".
    For "join": joinaliasvars[i] is the expression of column i+1 (Vars of the two sides, or a
    COALESCE for a merged column of a full join); jointype as in JoinExpr.
    """

    rtekind: str
    eref: Alias
    alias: Alias | None = None
    lateral: bool = False
    inh: bool = False
    in_from_cl: bool = True
    # relation
    relid: int = 0
    relkind: str = ""
    # rowmark strength wanted on this entry, see RowMarkClause in Query.row_marks
    # subquery (also an expanded view)
    subquery: Query | None = None
    security_barrier: bool = False
    # join
    jointype: str = ""
    joinmergedcols: int = 0
    joinaliasvars: list[Expr] = field(default_factory=list)
    join_using_alias: Alias | None = None
    # function
    functions: list[RangeTblFunction] = field(default_factory=list)
    funcordinality: bool = False
    # tablefunc (XMLTABLE)
    tablefunc: TableFunc | None = None
    # values
    values_lists: list[list[Expr]] = field(default_factory=list)
    # cte
    ctename: str = ""
    ctelevelsup: int = 0
    self_reference: bool = False
    # tablesample: (method name, [args], repeatable)
    tablesample: tuple[str, list[Expr], Expr | None] | None = None
    coltypes: list[int] = field(default_factory=list)
    coltypmods: list[int] = field(default_factory=list)
    colcollations: list[int] = field(default_factory=list)
    # privileges to check (rewriter and executor): subset of {"SELECT", "INSERT", ...}
    required_perms: set[str] = field(default_factory=set)
    check_as_user: int = 0
    selected_cols: set[int] = field(default_factory=set)
    inserted_cols: set[int] = field(default_factory=set)
    updated_cols: set[int] = field(default_factory=set)


@node
class RangeTblRef:
    rtindex: int


@node
class JoinExpr:
    """jointype: "inner" (also CROSS: no quals), "left", "right", "full".  rtindex is the join's
    own range table entry.  USING and NATURAL are already in quals."""

    jointype: str
    larg: JoinTreeNode
    rarg: JoinTreeNode
    quals: Expr | None
    rtindex: int
    is_natural: bool = False
    using_clause: list[str] = field(default_factory=list)
    alias: Alias | None = None


JoinTreeNode = RangeTblRef | JoinExpr


@node
class FromExpr:
    fromlist: list[JoinTreeNode] = field(default_factory=list)
    quals: Expr | None = None


@node
class GroupingSet:
    """kind: "empty", "simple" (content: ressortgrouprefs), "rollup", "cube", "sets" (content:
    GroupingSets)."""

    kind: str
    content: list[Any] = field(default_factory=list)
    location: int = -1


@node
class WindowClause:
    """frame_mode "rows", "range" or "groups"; bounds "unbounded_preceding", "offset_preceding",
    "current_row", "offset_following", "unbounded_following"; exclusion "", "current_row", "group"
    or "ties".  frame_default: the clause gave no frame."""

    winref: int
    name: str | None = None
    refname: str | None = None
    partition_clause: list[SortGroupClause] = field(default_factory=list)
    order_clause: list[SortGroupClause] = field(default_factory=list)
    frame_mode: str = "range"
    frame_start: str = "unbounded_preceding"
    frame_end: str = "current_row"
    frame_exclusion: str = ""
    frame_default: bool = True
    frame_between: bool = False
    start_offset: Expr | None = None
    end_offset: Expr | None = None
    start_in_range_func: int = 0
    end_in_range_func: int = 0
    in_range_coll: int = 0
    in_range_asc: bool = True
    in_range_nulls_first: bool = False


@node
class RowMarkClause:
    """strength: "forkeyshare", "forshare", "fornokeyupdate", "forupdate"; wait_policy: "block",
    "skip", "error"."""

    rti: int
    strength: str
    wait_policy: str
    pushed_down: bool = False


# the command tags of SELECT with a row mark
SELECT_LOCKING = {
    "forkeyshare": "SELECT FOR KEY SHARE",
    "forshare": "SELECT FOR SHARE",
    "fornokeyupdate": "SELECT FOR NO KEY UPDATE",
    "forupdate": "SELECT FOR UPDATE",
}


@node
class CommonTableExpr:
    """materialized: None (default), True or False as written.  cterefcount counts references."""

    ctename: str
    ctequery: Query
    aliascolnames: list[str] = field(default_factory=list)
    materialized: bool | None = None
    cterecursive: bool = False
    cterefcount: int = 0
    ctecolnames: list[str] = field(default_factory=list)
    ctecoltypes: list[int] = field(default_factory=list)
    ctecoltypmods: list[int] = field(default_factory=list)
    ctecolcollations: list[int] = field(default_factory=list)
    search_clause: CTESearchClause | None = None
    cycle_clause: CTECycleClause | None = None
    location: int = -1


@node
class CTESearchClause:
    search_col_list: list[str]
    search_breadth_first: bool
    search_seq_column: str
    location: int = -1


@node
class CTECycleClause:
    cycle_col_list: list[str]
    cycle_mark_column: str
    cycle_mark_value: Expr
    cycle_mark_default: Expr
    cycle_path_column: str
    cycle_mark_type: int = 0
    cycle_mark_typmod: int = -1
    cycle_mark_collation: int = 0
    cycle_mark_neop: int = 0
    location: int = -1


@node
class SetOperationStmt:
    """op: "union", "intersect", "except"; leaves are RangeTblRefs of subquery entries."""

    op: str
    all: bool
    larg: SetOpNode
    rarg: SetOpNode
    col_types: list[int] = field(default_factory=list)
    col_typmods: list[int] = field(default_factory=list)
    col_collations: list[int] = field(default_factory=list)
    group_clauses: list[SortGroupClause] = field(default_factory=list)


SetOpNode = RangeTblRef | SetOperationStmt


@node
class InferenceElem(Expr):
    expr: Expr
    infercollid: int = 0
    inferopclass: int = 0


@node
class OnConflictExpr:
    """action "nothing" or "update".  arbiter_indexes: the OIDs of the inferred unique indexes
    (empty: any).  on_conflict_set entries have the target column's attno as resno; EXCLUDED is
    the range table entry excl_rel_index."""

    action: str
    arbiter_elems: list[InferenceElem] = field(default_factory=list)
    arbiter_where: Expr | None = None
    constraint: int = 0
    arbiter_indexes: list[int] = field(default_factory=list)
    on_conflict_set: list[TargetEntry] = field(default_factory=list)
    on_conflict_where: Expr | None = None
    excl_rel_index: int = 0


@node
class MergeAction:
    matched: bool
    command_type: str
    qual: Expr | None
    target_list: list[TargetEntry] = field(default_factory=list)
    override: str = ""


@node
class Query:
    """command_type: "select", "insert", "update", "delete", "merge" or "utility".

    For INSERT: the source is either target_list alone (one VALUES row), or the RTE of a subquery
    or of a VALUES list referenced by target_list; target_list is in target column order with
    resno = attno, defaults and generated columns filled in by the rewriter.
    For a set operation: set_operations is the tree, target_list the output columns (Vars of the
    leftmost leaf), jointree empty.
    override: "" or "user" or "system" (OVERRIDING ... VALUE).
    limit_option: "count" or "with_ties".
    """

    command_type: str
    target_list: list[TargetEntry] = field(default_factory=list)
    rtable: list[RangeTblEntry] = field(default_factory=list)
    jointree: FromExpr = field(default_factory=FromExpr)
    result_relation: int = 0
    cte_list: list[CommonTableExpr] = field(default_factory=list)
    has_recursive: bool = False
    has_modifying_cte: bool = False
    has_aggs: bool = False
    has_window_funcs: bool = False
    has_target_srfs: bool = False
    has_sublinks: bool = False
    has_distinct_on: bool = False
    has_for_update: bool = False
    override: str = ""
    on_conflict: OnConflictExpr | None = None
    returning_list: list[TargetEntry] = field(default_factory=list)
    group_clause: list[SortGroupClause] = field(default_factory=list)
    group_distinct: bool = False
    grouping_sets: list[GroupingSet] = field(default_factory=list)
    having_qual: Expr | None = None
    window_clause: list[WindowClause] = field(default_factory=list)
    distinct_clause: list[SortGroupClause] = field(default_factory=list)
    sort_clause: list[SortGroupClause] = field(default_factory=list)
    limit_offset: Expr | None = None
    limit_count: Expr | None = None
    limit_option: str = "count"
    row_marks: list[RowMarkClause] = field(default_factory=list)
    set_operations: SetOperationStmt | None = None
    merge_action_list: list[MergeAction] = field(default_factory=list)
    # OIDs of constraints a GROUP BY by primary key depends on
    constraint_deps: list[int] = field(default_factory=list)
    # (relid, attnum) pairs and function OIDs that a stored query depends on are found by walking
    with_check_options: list[tuple[str, Expr, str]] = field(default_factory=list)
    # "utility": the raw statement
    utility_stmt: RawNode | None = None
    # DECLARE CURSOR, CREATE TABLE AS, EXPLAIN hold the analyzed query they contain here
    utility_query: Query | None = None
    can_set_tag: bool = True
    stmt_location: int = 0
    stmt_len: int = 0
    # what the rewriter made it from: "original", "instead_rule" or "non_instead_rule"
    query_source: str = "original"
    # RETURN expression, in a SQL function's body
    is_return: bool = False
