"""SQL/XML's expressions and XMLTABLE as SQL (T_XmlExpr of get_rule_expr and get_tablefunc of
PostgreSQL's utils/adt/ruleutils.c)."""

from __future__ import annotations

import re
from typing import Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.nodes import primnodes as p
from pgemu.rewrite.ruleutils_context import Context

_ESCAPE = re.compile("_x([0-9A-F]{4,5})_")
_STANDALONE = (", STANDALONE YES", ", STANDALONE NO", ", STANDALONE NO VALUE", "")


def map_xml_name_to_sql_identifier(name: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)


def get_xml_expr(node: p.XmlExpr, ctx: Context, _show: bool) -> None:
    from pgemu.rewrite.ruleutils_expr import get_rule_expr, get_rule_expr_paren

    if node.op == "IS_DOCUMENT":
        get_rule_expr_paren(node.args[0], ctx, False, node)
        ctx.add(" IS DOCUMENT")
        return
    ctx.add(node.op.removeprefix("IS_") + "(")
    if node.op in ("IS_XMLPARSE", "IS_XMLSERIALIZE"):
        ctx.add("DOCUMENT " if node.xmloption == "XMLOPTION_DOCUMENT" else "CONTENT ")
    comma = False
    if node.name is not None:
        ctx.add(f"NAME {quote_identifier(map_xml_name_to_sql_identifier(node.name))}")
        comma = True
    if node.named_args:
        _named_args(node, ctx, comma)
        comma = True
    if node.args:
        ctx.add(", " if comma else "")
        if node.op in ("IS_XMLPARSE", "IS_XMLROOT"):
            get_rule_expr(node.args[0], ctx, True)
            _options(node, ctx)
        else:
            get_rule_expr(list(node.args), ctx, True)
    if node.op == "IS_XMLSERIALIZE":
        ctx.add(f" AS {ctx.catalog.type_name(node.type, node.typmod)}")
    ctx.add(")")


def _named_args(node: p.XmlExpr, ctx: Context, comma: bool) -> None:
    from pgemu.rewrite.ruleutils_expr import get_rule_expr

    attributes = node.op == "IS_XMLELEMENT"
    ctx.add((", " if comma else "") + ("XMLATTRIBUTES(" if attributes else ""))
    for index, (arg, name) in enumerate(zip(node.named_args, node.arg_names, strict=True)):
        ctx.add(", " if index else "")
        get_rule_expr(arg, ctx, True)
        ctx.add(f" AS {quote_identifier(map_xml_name_to_sql_identifier(name))}")
    ctx.add(")" if attributes else "")


def _options(node: p.XmlExpr, ctx: Context) -> None:
    from pgemu.rewrite.ruleutils_expr import get_rule_expr

    if node.op == "IS_XMLPARSE":
        keep: Any = node.args[1]
        ctx.add(" PRESERVE WHITESPACE" if keep.value else " STRIP WHITESPACE")
        return
    version: Any = node.args[1]
    ctx.add(", VERSION ")
    if isinstance(version, p.Const) and version.value is None:
        ctx.add("NO VALUE")
    else:
        get_rule_expr(version, ctx, False)
    standalone: Any = node.args[2]
    ctx.add(_STANDALONE[standalone.value])


def get_tablefunc(func: p.TableFunc, ctx: Context) -> None:
    from pgemu.rewrite.ruleutils_expr import get_rule_expr

    ctx.add("XMLTABLE(")
    if func.ns_uris:
        ctx.add("XMLNAMESPACES (")
        for index, (uri, name) in enumerate(zip(func.ns_uris, func.ns_names, strict=True)):
            ctx.add((", " if index else "") + ("" if name else "DEFAULT "))
            get_rule_expr(uri, ctx, True)
            ctx.add(f" AS {quote_identifier(name)}" if name else "")
        ctx.add("), ")
    ctx.add("(")
    get_rule_expr(func.rowexpr, ctx, True)
    ctx.add(") PASSING (")
    get_rule_expr(func.docexpr, ctx, True)
    ctx.add(") COLUMNS ")
    for number, name in enumerate(func.colnames):
        ctx.add((", " if number else "") + quote_identifier(name) + " ")
        if number == func.ordinalitycol:
            ctx.add("FOR ORDINALITY")
            continue
        ctx.add(ctx.catalog.type_name(func.coltypes[number], func.coltypmods[number]))
        for word, expr in (
            ("DEFAULT", func.coldefexprs[number]),
            ("PATH", func.colexprs[number]),
        ):
            if expr is not None:
                ctx.add(f" {word} (")
                get_rule_expr(expr, ctx, True)
                ctx.add(")")
        ctx.add(" NOT NULL" if func.notnulls[number] else "")
    ctx.add(")")
