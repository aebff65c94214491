"""ParseState and the name space of FROM items (PostgreSQL's parse_node.c and parse_node.h).

A ParseState is the working state of the analysis of one query level; `parent_pstate` leads to the
enclosing level.  What differs from PostgreSQL: the column list of a FROM item that is a plain
table is made only when somebody asks for it (most queries touch a few columns of wide tables),
and the top state collects the locations of literals whose value analysis looked at
(`used_literals`), because the plan cache must not turn those into parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from pgemu.nodes.parsenodes import (
    Alias,
    CommonTableExpr,
    JoinExpr,
    JoinTreeNode,
    RangeTblEntry,
)
from pgemu.nodes.primnodes import Expr, Var

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog


class ParseExprKind(Enum):
    """What an expression is for: decides which constructs are allowed in it and how an error
    about it is worded."""

    EXPR_KIND_NONE = auto()
    EXPR_KIND_OTHER = auto()
    EXPR_KIND_JOIN_ON = auto()
    EXPR_KIND_JOIN_USING = auto()
    EXPR_KIND_FROM_SUBSELECT = auto()
    EXPR_KIND_FROM_FUNCTION = auto()
    EXPR_KIND_WHERE = auto()
    EXPR_KIND_HAVING = auto()
    EXPR_KIND_FILTER = auto()
    EXPR_KIND_WINDOW_PARTITION = auto()
    EXPR_KIND_WINDOW_ORDER = auto()
    EXPR_KIND_WINDOW_FRAME_RANGE = auto()
    EXPR_KIND_WINDOW_FRAME_ROWS = auto()
    EXPR_KIND_WINDOW_FRAME_GROUPS = auto()
    EXPR_KIND_SELECT_TARGET = auto()
    EXPR_KIND_INSERT_TARGET = auto()
    EXPR_KIND_UPDATE_SOURCE = auto()
    EXPR_KIND_UPDATE_TARGET = auto()
    EXPR_KIND_MERGE_WHEN = auto()
    EXPR_KIND_GROUP_BY = auto()
    EXPR_KIND_ORDER_BY = auto()
    EXPR_KIND_DISTINCT_ON = auto()
    EXPR_KIND_LIMIT = auto()
    EXPR_KIND_OFFSET = auto()
    EXPR_KIND_RETURNING = auto()
    EXPR_KIND_VALUES = auto()
    EXPR_KIND_VALUES_SINGLE = auto()
    EXPR_KIND_CHECK_CONSTRAINT = auto()
    EXPR_KIND_DOMAIN_CHECK = auto()
    EXPR_KIND_COLUMN_DEFAULT = auto()
    EXPR_KIND_FUNCTION_DEFAULT = auto()
    EXPR_KIND_INDEX_EXPRESSION = auto()
    EXPR_KIND_INDEX_PREDICATE = auto()
    EXPR_KIND_STATS_EXPRESSION = auto()
    EXPR_KIND_ALTER_COL_TRANSFORM = auto()
    EXPR_KIND_EXECUTE_PARAMETER = auto()
    EXPR_KIND_TRIGGER_WHEN = auto()
    EXPR_KIND_POLICY = auto()
    EXPR_KIND_PARTITION_BOUND = auto()
    EXPR_KIND_PARTITION_EXPRESSION = auto()
    EXPR_KIND_CALL_ARGUMENT = auto()
    EXPR_KIND_COPY_WHERE = auto()
    EXPR_KIND_GENERATED_COLUMN = auto()
    EXPR_KIND_CYCLE_MARK = auto()


@dataclass(slots=True)
class ParseNamespaceColumn:
    """The Var that a reference to a column of a FROM item becomes.  p_varno 0: the column is
    dropped.  varno/varattno point to the base relation also for columns of joins, except merged
    ones; the *syn fields name the join itself."""

    p_varno: int
    p_varattno: int
    p_vartype: int
    p_vartypmod: int
    p_varcollid: int
    p_varnosyn: int
    p_varattnosyn: int
    p_dontexpand: bool = False
    p_var_made: Var | None = None

    @property
    def p_var(self) -> Var:
        """buildVarFromNSColumn: the Var without a location.  Shared: copy it to change it."""
        var = self.p_var_made
        if var is None:
            var = self.p_var_made = Var(
                self.p_varno,
                self.p_varattno,
                self.p_vartype,
                self.p_vartypmod,
                self.p_varcollid,
            )
        return var


def _column_index(names: list[str]) -> dict[str, int]:
    made: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name:
            made[name] = -1 if name in made else position
    return made


def _relation_columns(relation: Relation, rtindex: int) -> list[ParseNamespaceColumn]:
    return [
        ParseNamespaceColumn(0, 0, 0, -1, 0, 0, 0)
        if att.attisdropped
        else ParseNamespaceColumn(
            rtindex,
            att.attnum,
            att.atttypid,
            att.atttypmod,
            att.attcollation,
            rtindex,
            att.attnum,
        )
        for att in relation.attrs
    ]


@dataclass(slots=True)
class ParseNamespaceItem:
    """One entry of a name space: a range table entry with the names visible for it.

    p_names: alias (or relation name) and column names; p_rel_visible: may be referenced by its
    name (`t.x`); p_cols_visible: its columns may be referenced unqualified; p_lateral_only: only
    from LATERAL; p_lateral_ok: such a reference is allowed (False: error).
    p_relation: the catalog's Relation for a plain table.
    """

    p_names: Alias
    p_rte: RangeTblEntry
    p_rtindex: int
    p_nscolumns_made: list[ParseNamespaceColumn] | None = None
    p_rel_visible: bool = True
    p_cols_visible: bool = True
    p_lateral_only: bool = False
    p_lateral_ok: bool = True
    p_relation: Relation | None = None
    p_colindex_made: dict[str, int] | None = None

    @property
    def p_nscolumns(self) -> list[ParseNamespaceColumn]:
        """One entry per column of p_names.colnames."""
        made = self.p_nscolumns_made
        if made is None:
            made = self.p_nscolumns_made = self._columns_of_relation()
        return made

    def _columns_of_relation(self) -> list[ParseNamespaceColumn]:
        relation = self.p_relation
        assert relation is not None
        # the same for every query that has the table at this place
        made: list[ParseNamespaceColumn] = relation.catalog.cached_for_relation(
            relation.oid,
            ("nscolumns", self.p_rtindex),
            lambda: _relation_columns(relation, self.p_rtindex),
        )
        return made

    @property
    def p_colindex(self) -> dict[str, int]:
        """Column name -> 1-based position; -1 when the name stands there twice."""
        made = self.p_colindex_made
        if made is None:
            relation, alias = self.p_relation, self.p_rte.alias
            if relation is not None and (alias is None or not alias.colnames):
                made = relation.catalog.cached_for_relation(
                    relation.oid, "colindex", lambda: _column_index(self.p_names.colnames)
                )
            else:
                made = _column_index(self.p_names.colnames)
            self.p_colindex_made = made
        return made


@dataclass(slots=True)
class MultiAssign:
    """A source of `(a, b) = (SELECT ...)`: kept until all its columns have been taken."""

    expr: Expr
    ncolumns: int


# pstate, raw ColumnRef -> Expr or None
PreColumnRefHook = Callable[["ParseState", dict[str, Any]], "Expr | None"]
# pstate, raw ColumnRef, what the core found -> Expr or None
PostColumnRefHook = Callable[["ParseState", dict[str, Any], "Expr | None"], "Expr | None"]
# pstate, raw ParamRef -> Expr or None
ParamRefHook = Callable[["ParseState", dict[str, Any]], "Expr | None"]
# pstate, Param, target type, target typmod, location -> Expr or None
CoerceParamHook = Callable[["ParseState", Any, int, int, int], "Expr | None"]


@dataclass(slots=True, eq=False)
class ParseState:
    """State of the analysis of one query level (see PostgreSQL's parse_node.h for each field)."""

    catalog: Catalog
    parent_pstate: ParseState | None = None
    source_text: str = ""
    p_rtable: list[RangeTblEntry] = field(default_factory=list)
    # parallel to p_rtable: the JoinExpr of a join entry, None for others
    p_joinexprs: list[JoinExpr | None] = field(default_factory=list)
    p_joinlist: list[JoinTreeNode] = field(default_factory=list)
    p_namespace: list[ParseNamespaceItem] = field(default_factory=list)
    p_lateral_active: bool = False
    p_ctenamespace: list[CommonTableExpr] = field(default_factory=list)
    # raw CommonTableExpr bodies that a WITH (not RECURSIVE) item may not reference yet
    p_future_ctes: list[dict[str, Any]] = field(default_factory=list)
    p_parent_cte: CommonTableExpr | None = None
    p_target_relation: Relation | None = None
    p_target_nsitem: ParseNamespaceItem | None = None
    p_is_insert: bool = False
    # raw WindowDef bodies
    p_windowdefs: list[dict[str, Any]] = field(default_factory=list)
    p_expr_kind: ParseExprKind = ParseExprKind.EXPR_KIND_NONE
    p_next_resno: int = 1
    p_multiassign_exprs: list[Any] = field(default_factory=list)
    # raw LockingClause bodies
    p_locking_clause: list[dict[str, Any]] = field(default_factory=list)
    p_locked_from_parent: bool = False
    p_resolve_unknowns: bool = True
    # name -> transition table or other named tuplestore: (relid, columns)
    p_query_env: dict[str, Any] | None = None
    p_has_aggs: bool = False
    p_has_window_funcs: bool = False
    p_has_target_srfs: bool = False
    p_has_sublinks: bool = False
    p_has_modifying_cte: bool = False
    p_last_srf: Expr | None = None
    p_pre_columnref_hook: PreColumnRefHook | None = None
    p_post_columnref_hook: PostColumnRefHook | None = None
    p_paramref_hook: ParamRefHook | None = None
    p_coerce_param_hook: CoerceParamHook | None = None
    p_ref_hook_state: Any = None
    # of a SQL function's body: the collation of its parameters, where the call decides it
    p_input_collation: int = 0
    # of the top state only: byte offsets of the literals whose value mattered
    used_literals: set[int] = field(default_factory=set)

    @property
    def root(self) -> ParseState:
        """The state of the outermost query level."""
        pstate = self
        while pstate.parent_pstate is not None:
            pstate = pstate.parent_pstate
        return pstate

    def note_literal_used(self, location: int | None) -> None:
        """Analysis looked at the value of the literal at this byte offset."""
        if location is not None and location >= 0:
            self.root.used_literals.add(location)


def make_parsestate(
    parent: ParseState | None, catalog: Catalog | None = None, source_text: str = ""
) -> ParseState:
    """A new state; below a parent it takes over catalog, text, hooks and query environment."""
    if parent is None:
        assert catalog is not None
        return ParseState(catalog=catalog, source_text=source_text)
    return ParseState(
        catalog=parent.catalog,
        parent_pstate=parent,
        source_text=parent.source_text,
        p_query_env=parent.p_query_env,
        p_pre_columnref_hook=parent.p_pre_columnref_hook,
        p_post_columnref_hook=parent.p_post_columnref_hook,
        p_paramref_hook=parent.p_paramref_hook,
        p_coerce_param_hook=parent.p_coerce_param_hook,
        p_ref_hook_state=parent.p_ref_hook_state,
        p_input_collation=parent.p_input_collation,
    )


def make_var(pstate: ParseState, nsitem: ParseNamespaceItem, attrno: int, location: int) -> Var:
    """A Var for column attrno (1-based) of a name-space item of this query level."""
    if nsitem.p_nscolumns_made is None and nsitem.p_relation is not None:
        att = nsitem.p_relation.attrs[attrno - 1]
        return Var(
            nsitem.p_rtindex,
            attrno,
            att.atttypid,
            att.atttypmod,
            att.attcollation,
            0,
            location,
        )
    col = nsitem.p_nscolumns[attrno - 1]
    return Var(
        col.p_varno,
        col.p_varattno,
        col.p_vartype,
        col.p_vartypmod,
        col.p_varcollid,
        0,
        location,
    )
