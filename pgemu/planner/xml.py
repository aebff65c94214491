"""SQL/XML's expressions and XMLTABLE: one call of a function that knows what is written in the
statement (names, types, options), the values as arguments.
"""

from __future__ import annotations

from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import RangeTblEntry
from pgemu.planner import sql
from pgemu.planner.calls import padded
from pgemu.planner.expressions import handler, lower
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql


@handler(p.XmlExpr)
def lower_xml_expr(node: p.XmlExpr, low: Lowering, scope: Scope) -> Sql:
    args = [*node.named_args, *node.args]
    types = tuple(expr_type(arg) for arg in args)
    name = low.binder.special(
        "xml_expr",
        node.op,
        node.name,
        tuple(node.arg_names),
        types,
        node.xmloption == "XMLOPTION_DOCUMENT",
    )
    return sql.func(name, *(padded(arg, lower(arg, low, scope), low) for arg in args))


def lower_table_func(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    """XMLTABLE(...) in FROM."""
    func = entry.tablefunc
    assert func is not None
    paths = [func.docexpr, func.rowexpr, *func.ns_uris]
    columns = []
    for name, type_oid, typmod, path, default, not_null in zip(
        func.colnames,
        func.coltypes,
        func.coltypmods,
        func.colexprs,
        func.coldefexprs,
        func.notnulls,
        strict=True,
    ):
        columns.append((name, type_oid, typmod, path is not None, default is not None, not_null))
        paths += [part for part in (path, default) if part is not None]
    name = low.binder.special("xml_table", tuple(func.ns_names), tuple(columns), func.ordinalitycol)
    return sql.table_function(name, [lower(arg, low, scope) for arg in paths], alias)
