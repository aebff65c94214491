"""Expressions: one function per node type, found in a table (PostgreSQL's ExecInitExpr).

All semantics were decided by analysis; here a node only becomes SQLite's spelling of it.  What
SQLite has natively with PostgreSQL's meaning is used natively, the rest calls Python bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pgemu.catalog.internal_function import FIRST_USER_OID
from pgemu.catalog.rows import PgOperator
from pgemu.errors import FEATURE_NOT_SUPPORTED, INTERNAL_ERROR, UNDEFINED_FUNCTION, PgError
from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.parser.parse_oper import get_sort_group_operators
from pgemu.planner import sql
from pgemu.planner.calls import (
    collations_conflict,
    inline_over_rows,
    is_null_constant,
    is_whole_row,
    lower_function,
    lower_operator,
)
from pgemu.planner.comparison import collated, compare, equality, less_than, native_comparison
from pgemu.planner.datetime_calls import lower_by_constants
from pgemu.planner.jsonb_calls import cast_element
from pgemu.planner.lowering import Lowering, Scope, type_infos
from pgemu.planner.plan import LiteralParam
from pgemu.planner.scaled import scaled_comparison
from pgemu.planner.sql import Sql
from pgemu.types.borrowed import same_representation

_Handler = Callable[[Any, Lowering, Scope], Sql]
HANDLERS: dict[type, _Handler] = {}

BPCHAROID, RECORDOID = 1042, 2249
# ctid, xmin, cmin, xmax, cmax, tableoid
_SYSTEM_COLUMNS = {-1: "ctid", -2: "xmin", -3: "cmin", -4: "xmax", -5: "cmax", -6: "tableoid"}
RID_ATTNUM = -7  # the row's address as a number; ours, no name in a query means it


def handler(*types: type) -> Callable[[_Handler], _Handler]:
    def register(function: _Handler) -> _Handler:
        for one in types:
            HANDLERS[one] = function
        return function

    return register


def lower(node: p.Expr, low: Lowering, scope: Scope) -> Sql:
    """The SQLite expression of node; its value is the storage value of the node's type."""
    found = HANDLERS.get(type(node))
    if found is None:
        raise PgError(FEATURE_NOT_SUPPORTED, f"{type(node).__name__} is not supported yet")
    return found(node, low, scope)


def lower_qual(node: p.Expr | None, low: Lowering, scope: Scope) -> Sql | None:
    """A condition of which only "true" matters (WHERE, ON, HAVING): NULL may become false."""
    if node is None:
        return None
    if isinstance(node, p.BoolExpr) and node.boolop in ("and", "or"):
        parts = [lower_qual(arg, low, scope) for arg in node.args]
        return sql.connect(node.boolop, [part for part in parts if part is not None])
    if isinstance(node, p.ScalarArrayOpExpr):
        return lower_scalar_array_op(node, low, scope, null_is_false=True)
    return lower(node, low, scope)


@handler(p.Var)
def lower_var(node: p.Var, low: Lowering, scope: Scope) -> Sql:
    scope = scope.up(node.varlevelsup)
    if scope.owner is not low:
        outer = p.Var(node.varno, node.varattno, node.vartype, node.vartypmod, node.varcollid)
        return low.outer_reference(lower_var(outer, scope.owner, scope), scope.owner)
    replaced = scope.replaced.get((node.varno, node.varattno))
    if replaced is not None:
        return replaced
    entry = scope.entry(node.varno)
    if entry.rtekind == "join":
        if node.varattno <= 0:
            return _whole_join(node, low, scope)
        return lower(entry.joinaliasvars[node.varattno - 1], low, scope)
    alias = scope.aliases[node.varno - 1]
    if node.varattno > 0:
        return sql.column(alias, f"c{node.varattno}")
    if node.varattno == 0:
        return _whole_row(node, low, scope)
    return _system_column(node, entry, alias, low)


def _system_column(node: p.Var, entry: Any, alias: str, low: Lowering) -> Sql:
    if node.varattno == RID_ATTNUM:
        return sql.column(alias, "rid")
    name = _SYSTEM_COLUMNS[node.varattno]
    if name == "tableoid":
        if entry.rtekind == "relation" and not has_children(entry, low):
            return sql.integer(entry.relid)
        return sql.column(alias, "tableoid")
    if name == "xmin":
        return sql.column(alias, "xmin")
    if name == "ctid":
        return sql.func(low.binder.special("ctid"), sql.column(alias, "rid"))
    if name == "xmax":
        return sql.func(low.binder.special("xmax", entry.relid), sql.column(alias, "rid"))
    return sql.integer(0)


def has_children(entry: Any, low: Lowering) -> bool:
    """The table is read together with its inheritance children or partitions."""
    relation = low.catalog.relation(entry.relid)
    return bool(relation.relkind == "p" or (entry.inh and relation.row.relhassubclass))


def _whole_row(node: p.Var, low: Lowering, scope: Scope) -> Sql:
    entry = scope.entry(node.varno)
    alias = scope.aliases[node.varno - 1]
    types: list[int] = []
    columns: list[Sql] = []
    if entry.rtekind == "relation":
        for attr in low.catalog.relation(entry.relid).attrs:
            types.append(0 if attr.attisdropped else attr.atttypid)
            columns.append(sql.NULL if attr.attisdropped else sql.column(alias, f"c{attr.attnum}"))
    else:
        for number, type_oid in enumerate(entry.coltypes, 1):
            types.append(type_oid)
            columns.append(sql.column(alias, f"c{number}"))
        scalar = len(columns) == 1 and types[0] == node.vartype
        if entry.rtekind == "function" and node.vartype != RECORDOID and scalar:
            return columns[0]
    # an all-NULL row of the nullable side of an outer join reads as NULL
    present = sql.column(alias, "rid") if entry.rtekind == "relation" and entry.relid else None
    names = tuple(entry.eref.colnames[: len(columns)])
    mods = entry.coltypmods if entry.rtekind != "relation" else [0] * len(types)
    typmods = [max(0, m) if t == BPCHAROID else 0 for t, m in zip(types, mods, strict=False)]
    built = row_value(node.vartype, types, columns, low, names, typmods)
    if present is None:
        return built
    return sql.case([(sql.binary("IS", present, sql.NULL), sql.NULL)], built)


def _whole_join(node: p.Var, low: Lowering, scope: Scope) -> Sql:
    entry = scope.entry(node.varno)
    columns = [lower(expr, low, scope) for expr in entry.joinaliasvars]
    types = [expr_type(e) for e in entry.joinaliasvars]
    return row_value(RECORDOID, types, columns, low, tuple(entry.eref.colnames))


def row_value(
    row_type: int,
    types: list[int],
    columns: list[Sql],
    low: Lowering,
    names: tuple[str, ...] = (),
    typmods: Sequence[int] = (),
) -> Sql:
    """A composite value; an anonymous record made of a whole row knows its columns' names, and
    the typmods of those that are of type character(n) (0: none)."""
    shown = names if row_type == RECORDOID else ()
    if row_type == RECORDOID and any(typmods):
        key = low.binder.special("row", row_type, tuple(types), shown, tuple(typmods))
        return sql.func(key, *columns)
    return sql.func(low.binder.special("row", row_type, tuple(types), shown), *columns)


@handler(p.Const)
def lower_const(node: p.Const, low: Lowering, scope: Scope) -> Sql:
    if node.value is None:
        return sql.NULL
    if node.literal_location is not None and node.literal_location not in low.used_literals:
        return low.literal(
            LiteralParam(node.literal_location, node.consttype, node.consttypmod, node.value)
        )
    return sql.value_literal(node.value)


@handler(p.CurrentOfExpr)
def lower_current_of(node: p.CurrentOfExpr, low: Lowering, scope: Scope) -> Sql:
    entry, alias = scope.entry(node.cvarno), scope.aliases[node.cvarno - 1]
    low.volatile = True
    name = sql.string(node.cursor_name)
    if node.cursor_param is not None:
        name = lower(node.cursor_param, low, scope)
    call = low.binder.special("current_of", entry.relid)
    children = has_children(entry, low)
    place = sql.func(call, name, sql.integer(0 if children else entry.relid))
    test = sql.binary("=", sql.column(alias, "rid"), sql.scalar(sql.select([place])))
    if not children:
        return test
    table = sql.func(call, name, sql.integer(-1))
    same = sql.binary("=", sql.column(alias, "tableoid"), sql.scalar(sql.select([table])))
    return sql.connect("and", [same, test])


@handler(p.Param)
def lower_param(node: p.Param, low: Lowering, scope: Scope) -> Sql:
    if node.paramkind == "extern":
        if scope.function_args is not None:
            return scope.function_args[node.paramid - 1]
        return low.extern_param(node.paramid)
    if node.paramkind == "sublink":
        where: Scope | None = scope
        while where is not None and not where.sublink_columns:
            where = where.parent
        assert where is not None
        return where.sublink_columns[node.paramid - 1]
    if node.paramkind == "multiexpr":
        return _lower_multiexpr(node, low, scope)
    if node.paramkind == "new":
        return sql.func(low.binder.special("noted", node.paramid))
    raise PgError(INTERNAL_ERROR, f"unexpected parameter kind {node.paramkind}")


def _lower_multiexpr(node: p.Param, low: Lowering, scope: Scope) -> Sql:
    """Column of the sub-select in SET (a, b) = (SELECT ...): read as a scalar sub-select."""
    query = scope.query
    lists = [query.target_list, *(a.target_list for a in query.merge_action_list)]
    if query.on_conflict is not None:
        lists.insert(0, query.on_conflict.on_conflict_set)
    column = node.paramid & 0xFFFF
    for entries in lists:
        for entry in entries:
            held = entry.expr
            if isinstance(held, p.SubLink) and held.sublinkid == node.paramid >> 16:
                return lower_sublink_column(held, column, low, scope)
    raise PgError(INTERNAL_ERROR, "multi-assignment source not found")


def lower_sublink_column(node: p.SubLink, column: int, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.sublinks import scalar_column

    return scalar_column(node, column, low, scope)


@handler(p.FuncExpr)
def lower_func_expr(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql:
    if is_null_constant(node, low):
        return sql.NULL
    if node.funcid in _SEQUENCE_FUNCTIONS:
        _note_sequence(node.args[0], low)
    decided = lower_by_constants(node, low, scope)
    if decided is not None:
        return decided
    if any(is_whole_row(arg) for arg in node.args):
        inlined = inline_over_rows(node, low, scope)
        if inlined is not None:
            return inlined
    args = [lower(arg, low, scope) for arg in node.args]
    return lower_function(node, args, low)


_SEQUENCE_FUNCTIONS = (1574, 1575, 1576, 1765)  # nextval, currval and setval


def _note_sequence(arg: p.Expr, low: Lowering) -> None:
    """The sequence is to be locked before the statement starts."""
    if isinstance(arg, p.Const) and isinstance(arg.value, int):
        if arg.literal_location is not None:
            low.used_literals.add(arg.literal_location)
        low.sequences.add(arg.value)


@handler(p.OpExpr)
def lower_op_expr(node: p.OpExpr, low: Lowering, scope: Scope) -> Sql:
    if is_null_constant(node, low):
        return sql.NULL
    scaled = scaled_comparison(node, low, scope)
    if scaled is not None:
        return scaled
    args = [lower(arg, low, scope) for arg in node.args]
    return lower_operator(node, args, low)


@handler(p.DistinctExpr)
def lower_distinct(node: p.DistinctExpr, low: Lowering, scope: Scope) -> Sql:
    left, right = (lower(arg, low, scope) for arg in node.args)
    native = native_comparison(node.opno, node.args, low, node.inputcollid)
    if native is not None:
        return sql.is_not(collated(left, right, native[1]), right)
    equal = _call_operator(node, [left, right], low)
    both_null = sql.connect(
        "and", [sql.binary("IS", left, sql.NULL), sql.binary("IS", right, sql.NULL)]
    )
    return sql.not_(sql.func("coalesce", equal, both_null))


@handler(p.NullIfExpr)
def lower_nullif(node: p.NullIfExpr, low: Lowering, scope: Scope) -> Sql:
    left, right = (lower(arg, low, scope) for arg in node.args)
    native = native_comparison(node.opno, node.args, low, node.inputcollid)
    if native is not None and not node.inputcollid and collations_conflict(node.args):
        return sql.func(low.binder.special("no_collation"), left, right)
    equal = (
        compare("=", left, right, native[1])
        if native is not None
        else _call_operator(node, [left, right], low)
    )
    return sql.case([(equal, sql.NULL)], left)


def _call_operator(node: p.OpExpr, args: list[Sql], low: Lowering) -> Sql:
    plain = p.OpExpr(
        node.opno,
        node.opfuncid,
        p_bool_type(node.opno, low),
        node.args,
        inputcollid=node.inputcollid,
    )
    return lower_operator(plain, args, low)


def p_bool_type(opno: int, low: Lowering) -> int:
    """The operator's own result type (a NullIfExpr's opresulttype is that of its argument)."""
    row = low.catalog.one(PgOperator, oid=opno)
    return int(row.oprresult)


@handler(p.ScalarArrayOpExpr)
def lower_saop(node: p.ScalarArrayOpExpr, low: Lowering, scope: Scope) -> Sql:
    return lower_scalar_array_op(node, low, scope, null_is_false=False)


def lower_scalar_array_op(
    node: p.ScalarArrayOpExpr, low: Lowering, scope: Scope, *, null_is_false: bool
) -> Sql:
    """scalar = ANY (array) becomes IN; other operators are called per element in Python."""
    left_node, array_node = node.args
    while isinstance(array_node, p.RelabelType) or (
        isinstance(array_node, p.ArrayCoerceExpr) and _keeps_elements(array_node)
    ):
        array_node = array_node.arg  # the elements' storage values are the same
    left = lower(left_node, low, scope)
    native = native_comparison(
        node.opno, [left_node, _element_of(array_node, low)], low, node.inputcollid
    )
    wanted = "=" if node.use_or else "<>"
    is_list = isinstance(array_node, p.ArrayExpr) and not array_node.multidims
    if native is not None and native[0] == wanted and (is_list or not low.for_index):
        tested = collated(left, left, native[1])
        if isinstance(array_node, p.ArrayExpr) and not array_node.multidims:
            items = [lower(item, low, scope) for item in array_node.elements]
            found = sql.in_list(tested, items) if items else sql.integer(0)
            return found if node.use_or else sql.not_(found)
        array = lower(array_node, low, scope)
        found = sql.in_query(tested, _array_elements(array, _element_of(array_node, low), low))
        if not node.use_or:
            found = sql.not_(found)
        if null_is_false and node.use_or:
            return found
        return sql.case([(sql.binary("IS", array, sql.NULL), sql.NULL)], found)
    array = lower(array_node, low, scope)
    name = low.binder.special(
        "scalar_array_op", node.opfuncid, node.use_or, expr_type(left_node), expr_type(array_node)
    )
    return sql.func(name, left, array)


def _element_of(array_node: p.Expr, low: Lowering) -> p.Expr:
    array_type = expr_type(array_node)
    return p.CaseTestExpr(low.catalog.types.element_type(array_type) or array_type)


def _array_elements(array: Sql, element: p.Expr, low: Lowering) -> Sql:
    """SELECT each element of an array value as a storage value."""
    elements = sql.table_function("json_each", [sql.func(low.binder.special("flat"), array)], "e")
    value = sql.column("e", "value")
    if low.io(expr_type(element)).storage == "blob":
        value = sql.func("unhex", value)
    return sql.select([value], from_=elements)


@handler(p.BoolExpr)
def lower_bool(node: p.BoolExpr, low: Lowering, scope: Scope) -> Sql:
    args = [lower(arg, low, scope) for arg in node.args]
    return sql.not_(args[0]) if node.boolop == "not" else sql.connect(node.boolop, args)


# int2vector and oidvector: as arrays they have 0 for a lower bound
_VECTORS = (22, 30)


@handler(p.RelabelType)
def lower_relabel(node: p.RelabelType, low: Lowering, scope: Scope) -> Sql:
    source, target = expr_type(node.arg), node.resulttype
    arg = lower(node.arg, low, scope)
    if _reinterprets(node, low):
        return sql.func(low.binder.special("reinterpret", source, target), arg)
    if source in _VECTORS and target not in _VECTORS:
        return sql.func(low.binder.special("vector_array"), arg)
    return arg


def _reinterprets(node: p.RelabelType, low: Lowering) -> bool:
    """Do the storage values of a base type of a user's differ from those of the other type?"""
    source, target = expr_type(node.arg), node.resulttype
    if source == target or (source < FIRST_USER_OID and target < FIRST_USER_OID):
        return False
    types = low.catalog.types
    if any(types.row(t).typtype != "b" for t in (source, target)):
        return False
    return not same_representation(types.io(source), types.io(target))


@handler(p.CollateExpr)
def lower_collate(node: p.CollateExpr, low: Lowering, scope: Scope) -> Sql:
    return lower(node.arg, low, scope)


@handler(p.NamedArgExpr)
def lower_named_arg(node: p.NamedArgExpr, low: Lowering, scope: Scope) -> Sql:
    return lower(node.arg, low, scope)


# text and varchar; int8, int2, int4; numeric and jsonb, whose storage value is their text
_TEXTS, _INTEGERS, _STORED_AS_TEXT = (25, 1043), (20, 21, 23), (1700, 3802)


@handler(p.CoerceViaIO)
def lower_coerce_via_io(node: p.CoerceViaIO, low: Lowering, scope: Scope) -> Sql:
    arg = lower(node.arg, low, scope)
    if node.resulttype in _TEXTS:
        source = expr_type(node.arg)
        if source in _INTEGERS:
            return sql.as_text(arg)
        if source in _STORED_AS_TEXT:  # without the collation of a column
            return sql.paren(sql.binary("||", arg, sql.string("")))
    kind = "index_coerce_via_io" if low.for_index else "coerce_via_io"
    body = sql.func(low.binder.special(kind, expr_type(node.arg), node.resulttype), arg)
    return cast_element(arg, low.io(node.resulttype).name, body) or body


@handler(p.ArrayCoerceExpr)
def lower_array_coerce(node: p.ArrayCoerceExpr, low: Lowering, scope: Scope) -> Sql:
    arg = lower(node.arg, low, scope)
    if _keeps_elements(node):
        if expr_type(node.arg) in _VECTORS:
            return sql.func(low.binder.special("vector_array"), arg)
        if not (isinstance(node.elemexpr, p.RelabelType) and _reinterprets(node.elemexpr, low)):
            return arg
    kind = "index_array_coerce" if low.for_index else "array_coerce"
    name = low.binder.special(kind, node.elemexpr, expr_type(node.arg), node.resulttype)
    return sql.func(name, arg)


def _keeps_elements(node: p.ArrayCoerceExpr) -> bool:
    return isinstance(node.elemexpr, (p.RelabelType, p.CaseTestExpr)) and isinstance(
        getattr(node.elemexpr, "arg", node.elemexpr), p.CaseTestExpr
    )


@handler(p.ConvertRowtypeExpr)
def lower_convert_rowtype(node: p.ConvertRowtypeExpr, low: Lowering, scope: Scope) -> Sql:
    name = low.binder.special("convert_rowtype", expr_type(node.arg), node.resulttype)
    return sql.func(name, lower(node.arg, low, scope))


@handler(p.CoerceToDomain)
def lower_coerce_to_domain(node: p.CoerceToDomain, low: Lowering, scope: Scope) -> Sql:
    arg = lower(node.arg, low, scope)
    return sql.func(low.binder.special("domain", node.resulttype), arg)


@handler(p.CoerceToDomainValue)
def lower_domain_value(node: p.CoerceToDomainValue, low: Lowering, scope: Scope) -> Sql:
    assert scope.domain_value is not None
    return scope.domain_value


@handler(p.CaseExpr)
def lower_case(node: p.CaseExpr, low: Lowering, scope: Scope) -> Sql:
    saved = scope.case_test
    if node.arg is not None:
        scope.case_test = lower(node.arg, low, scope)
        # the test value is written once per WHEN: a volatile one must be evaluated once only
        if low.volatile and not isinstance(node.arg, (p.Var, p.Const, p.Param)):
            low.binder.special("note_volatile_case")
    whens = [(lower(w.expr, low, scope), _branch(w.result, low, scope, saved)) for w in node.args]
    scope.case_test = saved
    default = lower(node.defresult, low, scope) if node.defresult is not None else None
    return sql.case(whens, default)


def _branch(result: p.Expr, low: Lowering, scope: Scope, saved: Sql | None) -> Sql:
    inner, scope.case_test = scope.case_test, saved
    lowered = lower(result, low, scope)
    scope.case_test = inner
    return lowered


@handler(p.CaseTestExpr)
def lower_case_test(node: p.CaseTestExpr, low: Lowering, scope: Scope) -> Sql:
    if scope.case_test is None:
        raise PgError(INTERNAL_ERROR, "CASE test expression outside of CASE")
    return scope.case_test


@handler(p.CoalesceExpr)
def lower_coalesce(node: p.CoalesceExpr, low: Lowering, scope: Scope) -> Sql:
    args = [lower(arg, low, scope) for arg in node.args]
    return args[0] if len(args) == 1 else sql.func("coalesce", *args)


@handler(p.MinMaxExpr)
def lower_min_max(node: p.MinMaxExpr, low: Lowering, scope: Scope) -> Sql:
    args = [lower(arg, low, scope) for arg in node.args]
    if len(args) == 1:
        return args[0]
    if not get_sort_group_operators(low.catalog, node.minmaxtype, False, False, False)[0]:
        raise PgError(
            UNDEFINED_FUNCTION,
            "could not identify a comparison function for type "
            f"{low.catalog.type_name(node.minmaxtype)}",
        )
    if not node.inputcollid and collations_conflict(node.args):
        return sql.func(low.binder.special("no_collation"), *args[:2])
    collation = low.collation(node.minmaxtype, node.inputcollid)
    collated = collation if collation is not None and collation.startswith("icu_") else ""
    return sql.func(low.binder.special("min_max", node.minmaxtype, node.op, collated), *args)


@handler(p.SQLValueFunction)
def lower_sql_value_function(node: p.SQLValueFunction, low: Lowering, scope: Scope) -> Sql:
    return sql.func(low.binder.special("sql_value", node.op, node.typmod))


@handler(p.NextValueExpr)
def lower_next_value(node: p.NextValueExpr, low: Lowering, scope: Scope) -> Sql:
    low.sequences.add(node.seqid)
    low.volatile = True
    return sql.func(low.binder.special("next_value", node.seqid))


@handler(p.NullTest)
def lower_null_test(node: p.NullTest, low: Lowering, scope: Scope) -> Sql:
    if node.argisrow:
        if isinstance(node.arg, p.RowExpr):
            tests = [p.NullTest(arg, node.is_null, argisrow=False) for arg in node.arg.args]
            lowered = [lower(test, low, scope) for test in tests]
            return sql.connect("and", lowered) if lowered else sql.integer(1)
        types = low.catalog.types
        tested = low.binder.special(
            "row_is_null", node.is_null, types.base_type(expr_type(node.arg))
        )
        return sql.func(tested, lower(node.arg, low, scope))
    arg = lower(node.arg, low, scope)
    return sql.binary("IS", arg, sql.NULL) if node.is_null else sql.is_not(arg, sql.NULL)


_BOOLEAN_TESTS = {
    "is_true": (True, 1),
    "is_not_true": (False, 1),
    "is_false": (True, 0),
    "is_not_false": (False, 0),
    "is_unknown": (True, None),
    "is_not_unknown": (False, None),
}


@handler(p.BooleanTest)
def lower_boolean_test(node: p.BooleanTest, low: Lowering, scope: Scope) -> Sql:
    positive, value = _BOOLEAN_TESTS[node.booltesttype]
    wanted = sql.NULL if value is None else sql.integer(value)
    arg = lower(node.arg, low, scope)
    return sql.binary("IS", arg, wanted) if positive else sql.is_not(arg, wanted)


@handler(p.ArrayExpr)
def lower_array(node: p.ArrayExpr, low: Lowering, scope: Scope) -> Sql:
    items = [lower(item, low, scope) for item in node.elements]
    name = low.binder.special("array", node.element_typeid, node.multidims)
    return sql.func(name, *items)


@handler(p.RowExpr)
def lower_row(node: p.RowExpr, low: Lowering, scope: Scope) -> Sql:
    columns = [lower(arg, low, scope) for arg in node.args]
    types = [expr_type(arg) for arg in node.args]
    names = tuple(node.colnames)
    if names == tuple(f"f{n}" for n in range(1, len(names) + 1)):
        names = ()
    return row_value(node.row_typeid, types, columns, low, names, _char_typmods(node.args, scope))


def _char_typmods(args: list[p.Expr], scope: Scope) -> list[int]:
    if all(expr_type(arg) != BPCHAROID for arg in args):
        return []
    from pgemu.planner.padding import padded_typmod

    return [
        max(0, padded_typmod(arg, scope.query)) if expr_type(arg) == BPCHAROID else 0
        for arg in args
    ]


@handler(p.RowCompareExpr)
def lower_row_compare(node: p.RowCompareExpr, low: Lowering, scope: Scope) -> Sql:
    """(a, b) < (c, d)  =>  a < c OR (a = c AND b < d), right to left."""
    strict = node.rctype[0]
    result: Sql | None = None
    for index in range(len(node.largs) - 1, -1, -1):
        left = lower(node.largs[index], low, scope)
        right = lower(node.rargs[index], low, scope)
        how = (expr_type(node.largs[index]), node.inputcollids[index], low)
        first = less_than(left, right, *how, swapped=strict == ">")
        if result is None:
            if node.rctype in ("<=", ">="):
                first = sql.connect("or", [first, equality(left, right, *how)])
            result = first
        else:
            rest = sql.connect("and", [equality(left, right, *how), result])
            result = sql.connect("or", [first, rest])
    assert result is not None
    return result


@handler(p.FieldSelect)
def lower_field_select(node: p.FieldSelect, low: Lowering, scope: Scope) -> Sql:
    arg = node.arg
    if isinstance(arg, p.RowExpr) and 0 < node.fieldnum <= len(arg.args):
        return lower(arg.args[node.fieldnum - 1], low, scope)
    name = low.binder.special("field_select", node.fieldnum, node.resulttype)
    return sql.func(name, lower(arg, low, scope))


@handler(p.FieldStore)
def lower_field_store(node: p.FieldStore, low: Lowering, scope: Scope) -> Sql:
    base = lower(node.arg, low, scope) if node.arg is not None else sql.NULL
    io = low.catalog.types.io(node.resulttype)
    news: dict[int, Sql] = {}
    for value, number in zip(node.newvals, node.fieldnums, strict=True):
        # a second assignment to parts of one field goes on from what the first one made
        before = news.pop(number, None)
        if before is None:
            old = low.binder.special("field_select", number, io.column(number).type_oid)
            before = sql.func(old, base)
        news[number] = _lower_assigned(value, before, low, scope)
    name = low.binder.special("field_store", node.resulttype, tuple(news))
    return sql.func(name, base, *news.values())


@handler(p.SubscriptingRef)
def lower_subscripting(node: p.SubscriptingRef, low: Lowering, scope: Scope) -> Sql:
    base = lower(node.refexpr, low, scope) if node.refexpr is not None else sql.NULL
    bounds: list[Sql] = []
    shape: list[int] = []
    for number, upper in enumerate(node.refupperindexpr):
        lower_bound = node.reflowerindexpr[number] if node.reflowerindexpr else None
        shape.append((2 if lower_bound is not None else 0) + (1 if upper is not None else 0))
        bounds += [lower(b, low, scope) for b in (lower_bound, upper) if b is not None]
    kind = "subscript_assign" if node.refassgnexpr is not None else "subscript"
    name = low.binder.special(
        kind, node.refcontainertype, node.refelemtype, node.is_slice, tuple(shape)
    )
    if node.refassgnexpr is not None:
        fetch = low.binder.special(
            "subscript", node.refcontainertype, node.refelemtype, node.is_slice, tuple(shape)
        )
        new = _lower_assigned(node.refassgnexpr, sql.func(fetch, base, *bounds), low, scope)
        return sql.func(name, base, new, *bounds)
    return sql.func(name, base, *bounds)


def _lower_assigned(node: p.Expr, old: Sql, low: Lowering, scope: Scope) -> Sql:
    """The new value of a part; a CaseTestExpr in it stands for the part's old value."""
    saved, scope.case_test = scope.case_test, old
    lowered = lower(node, low, scope)
    scope.case_test = saved
    return lowered


@handler(p.TargetEntry)
def lower_target_entry(node: p.TargetEntry, low: Lowering, scope: Scope) -> Sql:
    return lower(node.expr, low, scope)


def call_info(args: list[p.Expr], result: int, node: p.Expr, typmod: int = -1) -> Any:
    """TypeInfo of a call site."""
    return type_infos([expr_type(a) for a in args], result, expr_collation(node), typmod)
