"""Function and operator calls: native SQLite where it has PostgreSQL's meaning, else a body.

NATIVE is the table of such translations, by pg_proc.prosrc (the C function's name), so that the
operator, the function and every alias of it take the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pgemu.catalog.pg_locale import icu_collation
from pgemu.catalog.rows import PgProc
from pgemu.nodes import expr_collation, expr_type, expr_typmod, plain_expression
from pgemu.nodes import primnodes as p
from pgemu.nodes.walk import mutate, walk
from pgemu.planner import sql
from pgemu.planner.comparison import compare, native_comparison
from pgemu.planner.lowering import FIRST_USER_OID, type_infos
from pgemu.planner.plan import LiteralParam
from pgemu.planner.sql import Sql

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering, Scope

_Native = Callable[[p.FuncExpr | p.OpExpr, list[Sql], "Lowering", Callable[[], Sql]], Sql | None]
NATIVE: dict[str, _Native] = {}
INTERNAL_LANGUAGE, SQL_LANGUAGE = 12, 14
XIDOID, BPCHAROID, BPCHARARRAYOID, ANYOID = 28, 1042, 1014, 2276
VARHDRSZ = 4  # a typmod of character(n) is n more


def native(*names: str) -> Callable[[_Native], _Native]:
    def register(function: _Native) -> _Native:
        for name in names:
            NATIVE[name] = function
        return function

    return register


# str_tolower and the like of formatting.c
_CASE_FUNCTIONS = {870: "lower", 871: "upper", 872: "initcap"}


def lower_operator(node: p.OpExpr, args: list[Sql], low: Lowering) -> Sql:
    comparison = (
        native_comparison(node.opno, node.args, low, node.inputcollid) if len(args) == 2 else None
    )
    if comparison is not None:
        if not node.inputcollid and collations_conflict(node.args):
            # found out when the first row is compared
            return sql.func(low.binder.special("no_collation"), *args)
        symbol, collation = comparison
        return compare(symbol, args[0], args[1], collation)
    args = _by_locale(node.opfuncid, node.inputcollid, args, low)
    return _call(node, node.opfuncid, node.args, node.opresulttype, args, low)


# functions that cannot tell strings that are equal but not the same, by name
_BYTE_EXACT = {
    **dict.fromkeys(("like", "notlike", "textlike", "textnlike"), "LIKE"),
    **dict.fromkeys(("bpcharlike", "bpcharnlike"), "LIKE"),
    **dict.fromkeys(("texticlike", "texticnlike", "bpchariclike", "bpcharicnlike"), "ILIKE"),
    **dict.fromkeys(("textregexeq", "textregexne", "texticregexeq"), "regular expressions"),
    **dict.fromkeys(("texticregexne", "bpcharregexeq", "bpcharregexne"), "regular expressions"),
    **dict.fromkeys(("bpcharicregexeq", "bpcharicregexne"), "regular expressions"),
    **dict.fromkeys(("regexp_match", "regexp_matches", "regexp_replace"), "regular expressions"),
    **dict.fromkeys(("regexp_split_to_array", "regexp_split_to_table"), "regular expressions"),
    **dict.fromkeys(("regexp_count", "regexp_instr", "regexp_like"), "regular expressions"),
    "regexp_substr": "regular expressions",
    **dict.fromkeys(("position", "strpos", "replace", "split_part"), "substring searches"),
    **dict.fromkeys(("string_to_array", "string_to_table", "starts_with"), "substring searches"),
}


def _by_locale(funcid: int, collid: int, args: list[Sql], low: Lowering) -> list[Sql]:
    """The arguments of a function that looks at characters, for an ICU collation."""
    row = icu_collation(low.catalog, collid)
    what = _BYTE_EXACT.get(low.proc(funcid).proname) if row is not None else None
    if row is None or what is None:
        return args
    if not row.collisdeterministic:
        return [sql.func(low.binder.special("nondeterministic", what), *args), *args[1:]]
    if what == "ILIKE":
        fold = low.binder.special("icu_case", "lower", row.colliculocale or "")
        return [sql.func(fold, arg) for arg in args]
    return args


# text, character(n), varchar, name, and their arrays
_COLLATABLE = (25, 1042, 1043, 19, 1009, 1014, 1015, 1003)


def collations_conflict(args: list[p.Expr]) -> bool:
    """Two different implicit collations decide nothing, here or further down."""
    if len({expr_collation(arg) for arg in args} - {0}) > 1:
        return True
    return any(
        isinstance(arg, (p.OpExpr, p.FuncExpr, p.CoalesceExpr))
        and expr_type(arg) in _COLLATABLE
        and not expr_collation(arg)
        and collations_conflict(arg.args)
        for arg in args
    )


def lower_function(node: p.FuncExpr, args: list[Sql], low: Lowering) -> Sql:
    name = _CASE_FUNCTIONS.get(node.funcid)
    if name is not None and not node.inputcollid and collations_conflict(node.args):
        return sql.func(low.binder.special("no_collation", f"{name}() function"), *args)
    if name is not None:
        row = icu_collation(low.catalog, node.inputcollid)
        if row is not None:
            convert = low.binder.special("icu_case", name, row.colliculocale or "")
            return sql.func(convert, *args)
    args = _by_locale(node.funcid, node.inputcollid, args, low)
    return _call(node, node.funcid, node.args, node.funcresulttype, args, low)


# functions that get a character(n) with its padding, which the stored value does not have
_SEE_PADDING = frozenset(
    [f"bpchar{how}{what}" for how in ("", "ic") for what in ("like", "nlike", "regexeq", "regexne")]
    + ["concat", "concat_ws", "format", "textanycat", "anytextcat", "to_json", "to_jsonb"]
    + ["json_agg", "jsonb_agg", "array_to_string", "array_to_json"]
    + [f"{kind}_build_{what}" for kind in ("json", "jsonb") for what in ("array", "object")]
)


def padded(node: p.Expr, value: Sql, low: Lowering) -> Sql:
    """A character(n) as long as its declaration says; others unchanged."""
    if expr_type(node) not in (BPCHAROID, BPCHARARRAYOID):
        return value
    from pgemu.planner.padding import pad

    return pad(node, value, low, None)


def with_blanks(
    proc: PgProc, arg_nodes: Sequence[p.Expr], args: list[Sql], low: Lowering
) -> list[Sql]:
    """The arguments of a function, padded if it looks at the padding: one of those, or one that
    takes any type and writes it as text."""
    if proc.prolang != INTERNAL_LANGUAGE:
        return args
    if proc.proname not in _SEE_PADDING and ANYOID not in proc.proargtypes:
        return args
    return [padded(n, arg, low) for n, arg in zip(arg_nodes, args, strict=False)]


def is_null_constant(node: p.Expr, low: Lowering) -> bool:
    """A strict function of NULL: PostgreSQL does not compute the other arguments."""
    if isinstance(node, p.Const):
        return node.value is None
    if isinstance(node, p.RelabelType):
        return is_null_constant(node.arg, low)
    if isinstance(node, p.FuncExpr):
        proc_oid = node.funcid
    elif type(node) is p.OpExpr:
        proc_oid = node.opfuncid
    else:
        return False
    for arg in node.args:
        if type(arg) is not p.Var and is_null_constant(arg, low):
            proc = low.proc(proc_oid)
            return proc.proisstrict and not proc.proretset
    return False


def _call(
    node: p.FuncExpr | p.OpExpr,
    proc_oid: int,
    arg_nodes: list[p.Expr],
    result: int,
    args: list[Sql],
    low: Lowering,
) -> Sql:
    proc = low.proc(proc_oid)
    args = with_blanks(proc, arg_nodes, args, low)

    def body_call() -> Sql:
        low.note_volatility(proc)
        info = type_infos([expr_type(a) for a in arg_nodes], result, node.inputcollid)
        if isinstance(node, p.FuncExpr) and node.funcvariadic:
            info = replace(info, variadic=True)
        if proc.prolang == SQL_LANGUAGE and all(isinstance(a, p.Const) for a in arg_nodes):
            info = replace(info, constant=True)
        return sql.func(low.binder.scalar(proc, info), *args)

    if proc.prolang == INTERNAL_LANGUAGE:
        translate = NATIVE.get(proc.prosrc)
        if translate is not None:
            found = translate(node, args, low, body_call)
            if found is not None:
                return found
    if (
        proc.prolang == SQL_LANGUAGE
        and proc.oid < FIRST_USER_OID
        and not proc.proretset
        and not (proc.provolatile == "i" and all(isinstance(a, p.Const) for a in arg_nodes))
    ):
        inlined = inline_function(node, proc, arg_nodes, args, low)
        if inlined is not None:
            return inlined
    return body_call()


def inline_function(
    node: p.FuncExpr | p.OpExpr,
    proc: PgProc,
    arg_nodes: list[p.Expr],
    args: list[Sql],
    low: Lowering,
) -> Sql | None:
    """A built-in SQL function that is one expression becomes that expression (PostgreSQL's
    inline_function); None when it is more, or an argument would be evaluated twice."""
    types = tuple(expr_type(a) for a in arg_nodes)
    key = ("inline", proc.oid, types)
    if key not in low.catalog.memo:
        low.catalog.memo[key] = _simple_body(proc, types, low)
    body = low.catalog.memo[key]
    if body is None or proc.provolatile == "v":
        return None
    uses = _parameter_uses(body)
    for number, arg in enumerate(arg_nodes, 1):
        if uses.count(number) > 1 and not is_affordable(arg, low):
            return None
    if proc.proisstrict and not all(is_affordable(arg, low) for arg in arg_nodes):
        return None
    inner = low.function_scope(args)
    lowered = sql.paren(lower_expression(body, low, inner))
    if not proc.proisstrict:
        return lowered
    missing = [sql.binary("IS", arg, sql.NULL) for arg in args]
    return sql.case([(sql.connect("or", missing), sql.NULL)], lowered) if missing else lowered


def inline_over_rows(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    """An inlined function whose arguments are whole rows of tables and which takes columns of
    them: these columns are read where they are, and no row value is made."""
    proc = low.proc(node.funcid)
    if proc.prolang != SQL_LANGUAGE or proc.oid >= FIRST_USER_OID or proc.provolatile == "v":
        return None
    types = tuple(expr_type(a) for a in node.args)
    key = ("inline", proc.oid, types)
    if key not in low.catalog.memo:
        low.catalog.memo[key] = _simple_body(proc, types, low)
    body = low.catalog.memo[key]
    if proc.proretset or body is None or not all(is_cheap(a) for a in node.args):
        return None
    rows = {n: a for n, a in enumerate(node.args, 1) if is_whole_row(a)}
    if not all(_is_table_row(row, low, scope) for row in rows.values()):
        return None

    def replace(item: object) -> p.Expr | None:
        if isinstance(item, p.FieldSelect) and isinstance(item.arg, p.Param):
            row = rows.get(item.arg.paramid)
            if isinstance(row, p.Var):
                return replace_field(row, item)
        if isinstance(item, p.Param) and item.paramid not in rows:
            return node.args[item.paramid - 1]
        return None

    columns = mutate(body, replace)
    if _parameter_uses(columns):
        return None
    lowered = sql.paren(lower_expression(columns, low, scope))
    if not proc.proisstrict:
        return lowered
    tests = [
        replace_field(arg, None) if isinstance(arg, p.Var) and n in rows else arg
        for n, arg in enumerate(node.args, 1)
    ]
    missing = [sql.binary("IS", lower_expression(t, low, scope), sql.NULL) for t in tests]
    return sql.case([(sql.connect("or", missing), sql.NULL)], lowered)


def is_whole_row(node: p.Expr) -> bool:
    return isinstance(node, p.Var) and node.varattno == 0


def _is_table_row(node: p.Expr, low: Lowering, scope: Scope) -> bool:
    if not isinstance(node, p.Var):
        return False
    scope = scope.up(node.varlevelsup)
    if scope.owner is not low or (node.varno, 0) in scope.replaced:
        return False
    return bool(scope.entry(node.varno).rtekind == "relation")


XMIN_ATTNUM = -2


def replace_field(row: p.Var, field: p.FieldSelect | None) -> p.Var:
    """The column that FieldSelect takes; without one a column that every row has."""
    if field is None:
        return p.Var(row.varno, XMIN_ATTNUM, XIDOID, -1, 0, row.varlevelsup)
    return p.Var(
        row.varno,
        field.fieldnum,
        field.resulttype,
        field.resulttypmod,
        field.resultcollid,
        row.varlevelsup,
    )


def _simple_body(proc: PgProc, types: tuple[int, ...], low: Lowering) -> p.Expr | None:
    from pgemu.rewrite.rewrite_manip import copy_stored

    session = low.catalog.ctx.session
    text = proc.prosrc
    if proc.prosqlbody is not None:
        if not proc.prosqlbody.startswith("SQL:RETURN "):
            return None
        text = "SELECT " + proc.prosqlbody.removeprefix("SQL:RETURN ")
    statements = session.parse(text)
    if len(statements) != 1:
        return None
    query = session.analyze_function_body(statements[0], proc, list(types))
    expr = plain_expression(query)
    if expr is None or expr_type(expr) != proc.prorettype:
        return None
    copied: p.Expr = copy_stored(expr)
    return copied


def _parameter_uses(expr: p.Expr) -> list[int]:
    found: list[int] = []

    def visit(item: object) -> bool | None:
        if isinstance(item, p.Param) and item.paramkind == "extern":
            found.append(item.paramid)
        return None

    walk([expr], visit)
    return found


def lower_expression(expr: p.Expr, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.expressions import lower

    return lower(expr, low, scope)


def is_cheap(node: p.Expr) -> bool:
    """Writing the expression twice costs nothing and cannot have two results."""
    if isinstance(node, p.RelabelType):
        return is_cheap(node.arg)
    return isinstance(node, (p.Var, p.Const, p.Param))


def is_affordable(node: p.Expr, low: Lowering) -> bool:
    """Cheap, or a built-in SQL function of cheap arguments, which is inlined itself."""
    if is_cheap(node):
        return True
    if not isinstance(node, p.FuncExpr) or not all(is_cheap(arg) for arg in node.args):
        return False
    proc = low.proc(node.funcid)
    return bool(
        proc.prolang == SQL_LANGUAGE and proc.oid < FIRST_USER_OID and proc.provolatile == "i"
    )


@native("i2toi4", "int28", "int48", "ftod")
def widened(
    node: p.FuncExpr | p.OpExpr, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql:
    """The same storage value in a wider type."""
    return args[0]


@native("int2_numeric", "int4_numeric", "int8_numeric")
def whole_numeric(
    node: p.FuncExpr | p.OpExpr, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql:
    return sql.as_text(args[0])


@native("bpcharoctetlen")
def bpchar_octet_length(
    node: p.FuncExpr | p.OpExpr, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql | None:
    """Stored values have no padding: what the declared length adds is counted."""
    typmod = expr_typmod(node.args[0])
    if typmod < VARHDRSZ:
        return None
    return sql.func(low.binder.special("bpchar_octets", typmod - VARHDRSZ), args[0])


@native("textcat")
def textcat(
    node: p.FuncExpr | p.OpExpr, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql:
    return sql.binary("||", args[0], args[1])


def like_to_glob(pattern: str) -> str | None:
    """The GLOB pattern that matches what LIKE pattern matches; None when there is none (it ends
    in its escape character, which is an error that the body must raise)."""
    out: list[str] = []
    escaped = False
    for char in pattern:
        if not escaped and char == "\\":
            escaped = True
            continue
        if not escaped and char == "%":
            out.append("*")
        elif not escaped and char == "_":
            out.append("?")
        elif char in "*?[":
            out.append(f"[{char}]")
        else:
            out.append(char)
        escaped = False
    return None if escaped else "".join(out)


@native("textlike", "bpcharlike")
def textlike(
    node: p.FuncExpr | p.OpExpr, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql | None:
    """LIKE with a constant pattern runs as GLOB, in C and with SQLite's prefix optimisation."""
    pattern = node.args[1]
    if not isinstance(pattern, p.Const) or not isinstance(pattern.value, str):
        return None
    glob = like_to_glob(pattern.value)
    if glob is None or "\0" in glob:
        return None
    if pattern.literal_location is None or pattern.literal_location in low.used_literals:
        return sql.binary("GLOB", args[0], sql.string(glob))
    source = LiteralParam(
        pattern.literal_location, pattern.consttype, pattern.consttypmod, glob, as_glob=True
    )
    return sql.binary("GLOB", args[0], low.literal(source))


@native("textnlike", "bpcharnlike")
def textnlike(
    node: p.FuncExpr | p.OpExpr, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql | None:
    matched = textlike(node, args, low, body)
    return sql.not_(matched) if matched is not None else None


def proc_of(low: Lowering, oid: int) -> PgProc:
    return low.proc(oid)
