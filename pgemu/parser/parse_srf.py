"""Where set-returning functions may stand (check_srf_call_placement of PostgreSQL's parse_func.c),
and the names of expression kinds for error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes.nodefuncs import expr_location
from pgemu.nodes.primnodes import Expr
from pgemu.parser.parse_node import ParseExprKind as K

if TYPE_CHECKING:
    from pgemu.parser.parse_node import ParseState

_KIND_NAMES = {
    K.EXPR_KIND_NONE: "invalid expression context",
    K.EXPR_KIND_OTHER: "extension expression",
    K.EXPR_KIND_JOIN_ON: "JOIN/ON",
    K.EXPR_KIND_JOIN_USING: "JOIN/USING",
    K.EXPR_KIND_FROM_SUBSELECT: "sub-SELECT in FROM",
    K.EXPR_KIND_FROM_FUNCTION: "function in FROM",
    K.EXPR_KIND_WHERE: "WHERE",
    K.EXPR_KIND_POLICY: "POLICY",
    K.EXPR_KIND_HAVING: "HAVING",
    K.EXPR_KIND_FILTER: "FILTER",
    K.EXPR_KIND_WINDOW_PARTITION: "window PARTITION BY",
    K.EXPR_KIND_WINDOW_ORDER: "window ORDER BY",
    K.EXPR_KIND_WINDOW_FRAME_RANGE: "window RANGE",
    K.EXPR_KIND_WINDOW_FRAME_ROWS: "window ROWS",
    K.EXPR_KIND_WINDOW_FRAME_GROUPS: "window GROUPS",
    K.EXPR_KIND_SELECT_TARGET: "SELECT",
    K.EXPR_KIND_INSERT_TARGET: "INSERT",
    K.EXPR_KIND_UPDATE_SOURCE: "UPDATE",
    K.EXPR_KIND_UPDATE_TARGET: "UPDATE",
    K.EXPR_KIND_MERGE_WHEN: "MERGE WHEN",
    K.EXPR_KIND_GROUP_BY: "GROUP BY",
    K.EXPR_KIND_ORDER_BY: "ORDER BY",
    K.EXPR_KIND_DISTINCT_ON: "DISTINCT ON",
    K.EXPR_KIND_LIMIT: "LIMIT",
    K.EXPR_KIND_OFFSET: "OFFSET",
    K.EXPR_KIND_RETURNING: "RETURNING",
    K.EXPR_KIND_VALUES: "VALUES",
    K.EXPR_KIND_VALUES_SINGLE: "VALUES",
    K.EXPR_KIND_CHECK_CONSTRAINT: "CHECK",
    K.EXPR_KIND_DOMAIN_CHECK: "CHECK",
    K.EXPR_KIND_COLUMN_DEFAULT: "DEFAULT",
    K.EXPR_KIND_FUNCTION_DEFAULT: "DEFAULT",
    K.EXPR_KIND_INDEX_EXPRESSION: "index expression",
    K.EXPR_KIND_INDEX_PREDICATE: "index predicate",
    K.EXPR_KIND_STATS_EXPRESSION: "statistics expression",
    K.EXPR_KIND_ALTER_COL_TRANSFORM: "USING",
    K.EXPR_KIND_EXECUTE_PARAMETER: "EXECUTE",
    K.EXPR_KIND_TRIGGER_WHEN: "WHEN",
    K.EXPR_KIND_PARTITION_BOUND: "partition bound",
    K.EXPR_KIND_PARTITION_EXPRESSION: "PARTITION BY",
    K.EXPR_KIND_CALL_ARGUMENT: "CALL",
    K.EXPR_KIND_COPY_WHERE: "WHERE",
    K.EXPR_KIND_GENERATED_COLUMN: "GENERATED AS",
    K.EXPR_KIND_CYCLE_MARK: "CYCLE",
}

# kinds of DDL and the like, where all special constructs are forbidden with these words
PLACE_WORDS = {
    K.EXPR_KIND_CHECK_CONSTRAINT: "check constraints",
    K.EXPR_KIND_DOMAIN_CHECK: "check constraints",
    K.EXPR_KIND_COLUMN_DEFAULT: "DEFAULT expressions",
    K.EXPR_KIND_FUNCTION_DEFAULT: "DEFAULT expressions",
    K.EXPR_KIND_INDEX_EXPRESSION: "index expressions",
    K.EXPR_KIND_INDEX_PREDICATE: "index predicates",
    K.EXPR_KIND_STATS_EXPRESSION: "statistics expressions",
    K.EXPR_KIND_ALTER_COL_TRANSFORM: "transform expressions",
    K.EXPR_KIND_EXECUTE_PARAMETER: "EXECUTE parameters",
    K.EXPR_KIND_TRIGGER_WHEN: "trigger WHEN conditions",
    K.EXPR_KIND_PARTITION_BOUND: "partition bound",
    K.EXPR_KIND_PARTITION_EXPRESSION: "partition key expressions",
    K.EXPR_KIND_CALL_ARGUMENT: "CALL arguments",
    K.EXPR_KIND_COPY_WHERE: "COPY FROM WHERE conditions",
    K.EXPR_KIND_GENERATED_COLUMN: "column generation expressions",
}
_SRF_WORDS = {
    **PLACE_WORDS,
    K.EXPR_KIND_JOIN_ON: "JOIN conditions",
    K.EXPR_KIND_JOIN_USING: "JOIN conditions",
    K.EXPR_KIND_POLICY: "policy expressions",
    K.EXPR_KIND_WINDOW_FRAME_RANGE: "window definitions",
    K.EXPR_KIND_WINDOW_FRAME_ROWS: "window definitions",
    K.EXPR_KIND_WINDOW_FRAME_GROUPS: "window definitions",
    K.EXPR_KIND_MERGE_WHEN: "MERGE WHEN conditions",
}
_SRF_OK = frozenset(
    {
        K.EXPR_KIND_SELECT_TARGET,
        K.EXPR_KIND_INSERT_TARGET,
        K.EXPR_KIND_WINDOW_PARTITION,
        K.EXPR_KIND_WINDOW_ORDER,
        K.EXPR_KIND_GROUP_BY,
        K.EXPR_KIND_ORDER_BY,
        K.EXPR_KIND_DISTINCT_ON,
        K.EXPR_KIND_VALUES_SINGLE,
    }
)
_ANYWHERE = frozenset({K.EXPR_KIND_NONE, K.EXPR_KIND_OTHER})


def parse_expr_kind_name(kind: K) -> str:
    """ParseExprKindName: what the clause is called in messages."""
    return _KIND_NAMES[kind]


def check_srf_call_placement(pstate: ParseState, last_srf: Expr | None, location: int) -> None:
    """0A000 unless a set-returning function may stand here."""
    kind = pstate.p_expr_kind
    if kind in _SRF_OK:
        pstate.p_has_target_srfs = True
        return
    if kind in _ANYWHERE:
        return
    if kind is K.EXPR_KIND_FROM_FUNCTION:
        if pstate.p_last_srf is not last_srf:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "set-returning functions must appear at top level of FROM",
                location=expr_location(pstate.p_last_srf),
            )
        return
    place = _SRF_WORDS.get(kind) or _KIND_NAMES[kind]
    raise PgError(
        FEATURE_NOT_SUPPORTED,
        f"set-returning functions are not allowed in {place}",
        location=location,
    )
