"""What columns a function's result has (PostgreSQL's funcapi.c, the analysis-time half).

`get_expr_result_type` answers for any expression that may stand in FROM or give a composite:
("composite" | "scalar" | "record" | "other", result type, columns).  Polymorphic OUT parameters
are resolved from the actual argument types of the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pgemu.nodes.nodefuncs import expr_collation, expr_type, expr_typmod
from pgemu.nodes.primnodes import Expr, FuncExpr, OpExpr, RowExpr
from pgemu.parser import type_oids as t
from pgemu.parser.parse_cache import (
    get_array_type,
    get_base_type,
    get_collation_of_type,
    get_element_type,
    get_multirange_range,
    get_proc,
    get_range_multirange,
    get_range_subtype,
    get_type,
)

if TYPE_CHECKING:
    from pgemu.catalog.rows import PgProc
    from pgemu.catalog.syscache import Catalog


class ResultColumn(NamedTuple):
    """A column of a composite result; name "" and type_oid 0: a dropped column."""

    name: str
    type_oid: int
    typmod: int = -1
    collation: int = 0


class ResultType(NamedTuple):
    """kind as in the module's docstring; columns only for "composite" (and a RowExpr)."""

    kind: str
    type_oid: int
    columns: list[ResultColumn] | None


_FAMILY1 = {
    t.ANYELEMENTOID: "element",
    t.ANYNONARRAYOID: "element",
    t.ANYENUMOID: "element",
    t.ANYARRAYOID: "array",
    t.ANYRANGEOID: "range",
    t.ANYMULTIRANGEOID: "multirange",
}
_FAMILY2 = {
    t.ANYCOMPATIBLEOID: "element",
    t.ANYCOMPATIBLENONARRAYOID: "element",
    t.ANYCOMPATIBLEARRAYOID: "array",
    t.ANYCOMPATIBLERANGEOID: "range",
    t.ANYCOMPATIBLEMULTIRANGEOID: "multirange",
}


def get_expr_result_type(catalog: Catalog, expr: Expr | None) -> ResultType:
    """Class and columns of an expression's result."""
    if isinstance(expr, FuncExpr):
        return get_func_result_type(
            catalog, expr.funcid, [expr_type(a) for a in expr.args], expr.funcresulttype
        )
    if isinstance(expr, OpExpr):
        return get_func_result_type(
            catalog, expr.opfuncid, [expr_type(a) for a in expr.args], expr.opresulttype
        )
    if isinstance(expr, RowExpr) and expr.row_typeid == t.RECORDOID:
        columns = [
            ResultColumn(name, expr_type(a), expr_typmod(a), expr_collation(a))
            for name, a in zip(expr.colnames, expr.args, strict=False)
        ]
        return ResultType("composite", t.RECORDOID, columns)
    if expr is None:
        return ResultType("other", 0, None)
    type_oid = expr_type(expr)
    return _of_type(catalog, type_oid)


def get_func_result_type(
    catalog: Catalog, funcid: int, arg_types: list[int], result_type: int
) -> ResultType:
    """The same for a call of a function with known actual argument types."""
    proc = get_proc(catalog, funcid)
    columns = build_function_result_columns(catalog, proc, arg_types)
    if columns is not None:
        return ResultType("composite", result_type or t.RECORDOID, columns)
    return _of_type(catalog, result_type or proc.prorettype)


def _of_type(catalog: Catalog, type_oid: int) -> ResultType:
    row = get_type(catalog, type_oid)
    if row.typtype == "d":
        base = get_type(catalog, get_base_type(catalog, type_oid))
        if base.typtype == "c":
            return ResultType("composite", type_oid, relation_columns(catalog, base.typrelid))
        return ResultType("scalar", type_oid, None)
    if row.typtype == "c":
        return ResultType("composite", type_oid, relation_columns(catalog, row.typrelid))
    if row.typtype != "p":
        return ResultType("scalar", type_oid, None)
    if type_oid == t.RECORDOID:
        return ResultType("record", type_oid, None)
    if type_oid in (t.VOIDOID, t.CSTRINGOID):
        return ResultType("scalar", type_oid, None)
    return ResultType("other", type_oid, None)


def relation_columns(catalog: Catalog, relid: int) -> list[ResultColumn]:
    """Columns of a relation, dropped ones as ("", 0)."""
    return [
        ResultColumn("", 0)
        if att.attisdropped
        else ResultColumn(att.attname, att.atttypid, att.atttypmod, att.attcollation)
        for att in catalog.relation(relid).attrs
    ]


def build_function_result_columns(
    catalog: Catalog, proc: PgProc, arg_types: list[int]
) -> list[ResultColumn] | None:
    """Columns made by two or more OUT, INOUT or TABLE parameters; None for other functions."""
    if proc.proallargtypes is None or proc.proargmodes is None:
        return None
    if proc.prokind != "p" and proc.prorettype != t.RECORDOID:
        return None
    names = proc.proargnames or ()
    columns: list[ResultColumn] = []
    wanted: list[tuple[str, int]] = []
    for index, (type_oid, mode) in enumerate(
        zip(proc.proallargtypes, proc.proargmodes, strict=True)
    ):
        if mode not in ("o", "b", "t"):
            continue
        name = names[index] if index < len(names) else ""
        wanted.append((name or f"column{len(wanted) + 1}", type_oid))
    if not wanted or (len(wanted) == 1 and proc.prokind != "p"):
        return None
    resolved = resolve_polymorphic(catalog, proc.proargtypes, arg_types)
    for name, type_oid in wanted:
        actual = resolved.get(type_oid, type_oid)
        columns.append(ResultColumn(name, actual, -1, get_collation_of_type(catalog, actual)))
    return columns


def resolve_polymorphic(
    catalog: Catalog, declared: tuple[int, ...], actual: list[int]
) -> dict[int, int]:
    """Polymorphic type OID -> actual type, from the declared and actual argument types."""
    found: dict[int, int] = {}
    for family in (_FAMILY1, _FAMILY2):
        known: dict[str, int] = {}
        for decl, type_oid in zip(declared, actual, strict=False):
            shape = family.get(decl)
            if shape is not None and shape not in known and type_oid:
                known[shape] = type_oid
        if not known:
            continue
        _complete(catalog, known)
        for poly, shape in family.items():
            if shape in known:
                found[poly] = known[shape]
    return found


def _complete(catalog: Catalog, known: dict[str, int]) -> None:
    """Derive the shapes that no argument had from those that some had."""
    if "multirange" in known and "range" not in known:
        known["range"] = get_multirange_range(catalog, get_base_type(catalog, known["multirange"]))
    if "element" not in known:
        if "array" in known:
            known["element"] = get_element_type(catalog, get_base_type(catalog, known["array"]))
        elif "range" in known:
            known["element"] = get_range_subtype(catalog, get_base_type(catalog, known["range"]))
    if "array" not in known and known.get("element"):
        known["array"] = get_array_type(catalog, known["element"])
    if "range" in known and "multirange" not in known:
        known["multirange"] = get_range_multirange(catalog, get_base_type(catalog, known["range"]))


def lookup_rowtype(catalog: Catalog, type_oid: int, expr: Any = None) -> list[ResultColumn]:
    """Columns of a composite type (or of the record that `expr` gives)."""
    if type_oid == t.RECORDOID and expr is not None:
        return get_expr_result_type(catalog, expr).columns or []
    base = get_type(catalog, get_base_type(catalog, type_oid))
    return relation_columns(catalog, base.typrelid) if base.typrelid else []
