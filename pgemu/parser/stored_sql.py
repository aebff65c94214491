"""Analysis of SQL text that stands in the catalogs in place of a tree: the definitions of system
views, default arguments of built-in functions, constraints of information_schema's domains.

`analyze_stored_sql` is what a session gives to Catalog.analyze_sql.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import CoerceToDomainValue, Expr
from pgemu.parser.analyze import parse_analyze
from pgemu.parser.parse_node import ParseExprKind, ParseState, make_parsestate
from pgemu.parser.parse_relation import add_nsitem_to_query, add_range_table_entry_for_relation
from pgemu.parser.parser import raw_parser

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


def analyze_stored_sql(catalog: Catalog, kind: str, text: str, relid: int = 0) -> Any:
    """kind "query": the Query of a SELECT; "expr": an expression; "exprlist": a list of them.
    Columns of the relation relid may be referred to (as range table entry 1)."""
    text = text.strip().rstrip(";")
    if kind == "query":
        return _without_literals(parse_analyze(raw_parser(text)[0], text, catalog))
    exprs = analyze_stored_exprs(catalog, text, relid)
    return exprs[0] if kind == "expr" and len(exprs) == 1 else exprs


def _without_literals(query: Query) -> Query:
    """Constants of a stored query are no literals of the statement that uses it."""
    from pgemu.nodes.primnodes import Const
    from pgemu.nodes.walk import walk

    def visit(node: Any) -> None:
        if isinstance(node, Const):
            node.literal_location = None

    walk(query, visit)
    return query


def analyze_stored_exprs(
    catalog: Catalog, text: str, relid: int = 0, domain_type: int = 0
) -> list[Expr]:
    """The expressions of a comma-separated list, with collations assigned."""
    from pgemu.nodes.primnodes import Const
    from pgemu.nodes.walk import walk
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    source = f"SELECT {text}"
    raw = raw_parser(source)[0].body
    pstate = make_parsestate(None, catalog, source)
    if relid:
        relation = catalog.relation(relid)
        nsitem = add_range_table_entry_for_relation(pstate, relation, None, False, True)
        add_nsitem_to_query(pstate, nsitem, False, True, True)
    if domain_type:
        pstate.p_pre_columnref_hook = _domain_value_hook(domain_type)
    result: list[Expr] = []

    def visit(node: Any) -> None:
        if isinstance(node, Const):
            node.literal_location = None

    for item in raw["targetList"]:
        expr = transform_expr(pstate, item["ResTarget"]["val"], ParseExprKind.EXPR_KIND_OTHER)
        assign_expr_collations(pstate, expr)
        walk(expr, visit)
        result.append(expr)
    return result


def _domain_value_hook(domain_type: int) -> Any:
    def hook(pstate: ParseState, ref: dict[str, Any]) -> Expr | None:
        fields = ref["fields"]
        if len(fields) == 1 and fields[0].get("String", {}).get("sval") == "value":
            return CoerceToDomainValue(domain_type, location=ref.get("location", 0))
        return None

    return hook
