"""Function calls that were written in one of the SQL standard's special syntaxes
(get_func_sql_syntax of PostgreSQL's ruleutils.c)."""

from __future__ import annotations

from collections.abc import Callable

from pgemu.catalog.rows import PgProc
from pgemu.nodes.primnodes import Const, FuncExpr
from pgemu.parser.type_oids import TEXTOID
from pgemu.rewrite.ruleutils_context import Context
from pgemu.rewrite.ruleutils_expr import get_rule_expr, get_rule_expr_paren, given_arguments


def get_func_sql_syntax(node: FuncExpr, ctx: Context) -> bool:
    """Write the call in its special syntax; False when the function has none."""
    row = ctx.catalog.one(PgProc, oid=node.funcid)
    if row is None or row.pronamespace != 11:
        return False
    writer = _WRITERS.get(row.proname)
    if writer is None:
        return False
    if row.proname == "substring" and TEXTOID in row.proargtypes[1:]:
        # FROM pattern is the plain call
        if len(node.args) < 3:
            return False
        writer = _words("SUBSTRING", "SIMILAR", "ESCAPE")
    writer(node, ctx)
    return True


def _arg(node: FuncExpr, index: int, ctx: Context, showimplicit: bool = False) -> None:
    get_rule_expr(node.args[index], ctx, showimplicit)


def _timezone(node: FuncExpr, ctx: Context) -> None:
    ctx.add("(")
    get_rule_expr_paren(node.args[1], ctx, False, node)
    ctx.add(" AT TIME ZONE ")
    get_rule_expr_paren(node.args[0], ctx, False, node)
    ctx.add(")")


def _collation_for(node: FuncExpr, ctx: Context) -> None:
    ctx.add("COLLATION FOR (")
    _arg(node, 0, ctx)
    ctx.add(")")


def _overlaps(node: FuncExpr, ctx: Context) -> None:
    ctx.add("((")
    _arg(node, 0, ctx)
    ctx.add(", ")
    _arg(node, 1, ctx)
    ctx.add(") OVERLAPS (")
    _arg(node, 2, ctx)
    ctx.add(", ")
    _arg(node, 3, ctx)
    ctx.add("))")


def _extract(node: FuncExpr, ctx: Context) -> None:
    field = node.args[0]
    assert isinstance(field, Const)
    ctx.add(f"EXTRACT({field.value!s} FROM ")
    _arg(node, 1, ctx)
    ctx.add(")")


def _keyword(node: FuncExpr) -> str:
    """The normalization form: a text constant."""
    form = node.args[1]
    return str(form.value) if isinstance(form, Const) else ""


def _is_normalized(node: FuncExpr, ctx: Context) -> None:
    ctx.add("(")
    get_rule_expr_paren(node.args[0], ctx, False, node)
    form = f" {_keyword(node)}" if len(given_arguments(node)) == 2 else ""
    ctx.add(f" IS{form} NORMALIZED)")


def _normalize(node: FuncExpr, ctx: Context) -> None:
    ctx.add("NORMALIZE(")
    _arg(node, 0, ctx)
    if len(given_arguments(node)) == 2:
        ctx.add(f", {_keyword(node)}")
    ctx.add(")")


def _words(name: str, *words: str) -> Callable[[FuncExpr, Context], None]:
    """NAME(a WORD b WORD c)."""

    def write(node: FuncExpr, ctx: Context) -> None:
        ctx.add(name + "(")
        for index in range(len(node.args)):
            if index:
                ctx.add(f" {words[index - 1]} ")
            _arg(node, index, ctx)
        ctx.add(")")

    return write


def _position(node: FuncExpr, ctx: Context) -> None:
    # the grammar wants b_exprs here: parenthesize always
    ctx.add("POSITION((")
    _arg(node, 1, ctx)
    ctx.add(") IN (")
    _arg(node, 0, ctx)
    ctx.add("))")


def _xmlexists(node: FuncExpr, ctx: Context) -> None:
    ctx.add("XMLEXISTS((")
    _arg(node, 0, ctx)
    ctx.add(") PASSING (")
    _arg(node, 1, ctx)
    ctx.add("))")


def _trim(word: str) -> Callable[[FuncExpr, Context], None]:
    def write(node: FuncExpr, ctx: Context) -> None:
        ctx.add(f"TRIM({word}")
        if len(node.args) == 2:
            ctx.add(" ")
            _arg(node, 1, ctx)
        ctx.add(" FROM ")
        _arg(node, 0, ctx)
        ctx.add(")")

    return write


_WRITERS: dict[str, Callable[[FuncExpr, Context], None]] = {
    "timezone": _timezone,
    "overlaps": _overlaps,
    "pg_collation_for": _collation_for,
    "extract": _extract,
    "is_normalized": _is_normalized,
    "normalize": _normalize,
    "overlay": _words("OVERLAY", "PLACING", "FROM", "FOR"),
    "position": _position,
    "substring": _words("SUBSTRING", "FROM", "FOR"),
    "btrim": _trim("BOTH"),
    "ltrim": _trim("LEADING"),
    "rtrim": _trim("TRAILING"),
    "xmlexists": _xmlexists,
}
