"""Which objects a tree mentions (PostgreSQL's dependency.c: find_expr_references_walker)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog import rows as r
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_depend import record_multiple_dependencies
from pgemu.nodes import parsenodes as p
from pgemu.nodes import primnodes as n
from pgemu.nodes.walk import walk

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

DEFAULT_COLLATION_OID = 100

# Constants of these types mention the object whose OID they are.
_REG_TYPES = {
    24: r.PgProc.RELID,
    2202: r.PgProc.RELID,
    2203: r.PgOperator.RELID,
    2204: r.PgOperator.RELID,
    2205: r.PgClass.RELID,
    2206: r.PgType.RELID,
    4191: r.PgCollation.RELID,
    3734: r.PgTsConfig.RELID,
    3769: r.PgTsDict.RELID,
    4089: r.PgNamespace.RELID,
}


class _Finder:
    """Walks one tree; rtables are the range tables from the outermost to the current query."""

    def __init__(self, catalog: Catalog, rtables: list[list[p.RangeTblEntry]]) -> None:
        self.catalog = catalog
        self.rtables = rtables
        self.found: dict[ObjectAddress, None] = {}

    def add(self, classid: int, oid: int, subid: int = 0) -> None:
        if oid:
            self.found[ObjectAddress(classid, oid, subid)] = None

    def type(self, oid: int) -> None:
        self.add(r.PgType.RELID, oid)

    def collation(self, oid: int) -> None:
        if oid != DEFAULT_COLLATION_OID:
            self.add(r.PgCollation.RELID, oid)

    def function(self, oid: int) -> None:
        self.add(r.PgProc.RELID, oid)

    def operator(self, oid: int) -> None:
        self.add(r.PgOperator.RELID, oid)

    def column(self, varno: int, attno: int, levels_up: int) -> None:
        if levels_up >= len(self.rtables):
            return
        rtable = self.rtables[-1 - levels_up]
        if not 0 < varno <= len(rtable):
            return
        rte = rtable[varno - 1]
        if rte.rtekind == "relation":
            self.add(r.PgClass.RELID, rte.relid, max(attno, 0))
        elif rte.rtekind == "function" and attno > 0:
            self._function_column(rte, attno)

    def _function_column(self, rte: p.RangeTblEntry, attno: int) -> None:
        for function in rte.functions:
            expr: Any = function.funcexpr
            oid = getattr(expr, "funcresulttype", 0)
            row = self.catalog.one(r.PgType, oid=oid) if oid else None
            if row is not None and row.typrelid and len(rte.functions) == 1:
                self.add(r.PgClass.RELID, row.typrelid, attno)

    def visit(self, node: Any) -> bool | None:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            result: bool | None = handler(self, node)
            return result
        return None

    def query(self, query: p.Query) -> None:
        for rte in query.rtable:
            if rte.rtekind == "relation":
                self.add(r.PgClass.RELID, rte.relid)
            for oid in rte.coltypes if rte.rtekind in ("function", "values", "tablefunc") else ():
                self.type(oid)
        for oid in query.constraint_deps:
            self.add(r.PgConstraint.RELID, oid)
        if query.command_type in ("insert", "update") and query.result_relation:
            target = query.rtable[query.result_relation - 1]
            for entry in query.target_list:
                if not entry.resjunk:
                    self.add(r.PgClass.RELID, target.relid, entry.resno)
        self.rtables.append(query.rtable)
        for name in query.__dataclass_fields__:
            value = getattr(query, name)
            if name != "rtable":
                walk(value, self.visit)
        for rte in query.rtable:
            # A join's alias columns are Vars of its sides: mentioned only if used.
            if rte.rtekind != "join":
                walk([rte], self.visit)
        self.rtables.pop()


def _const(f: _Finder, node: n.Const) -> None:
    f.type(node.consttype)
    f.collation(node.constcollid)
    classid = _REG_TYPES.get(node.consttype)
    if classid is not None and isinstance(node.value, int):
        cls = r.CATALOG_BY_RELID[classid]
        if f.catalog.one(cls, oid=node.value) is not None:
            f.add(classid, node.value)


def _func(f: _Finder, node: n.FuncExpr) -> None:
    f.function(node.funcid)


def _op(f: _Finder, node: Any) -> None:
    f.operator(node.opno)


def _var(f: _Finder, node: n.Var) -> None:
    f.column(node.varno, node.varattno, node.varlevelsup)


def _param(f: _Finder, node: n.Param) -> None:
    f.type(node.paramtype)
    f.collation(node.paramcollid)


def _aggref(f: _Finder, node: n.Aggref) -> None:
    f.function(node.aggfnoid)


def _window(f: _Finder, node: n.WindowFunc) -> None:
    f.function(node.winfnoid)


def _relabel(f: _Finder, node: Any) -> None:
    f.type(node.resulttype)
    f.collation(getattr(node, "resultcollid", 0))


def _row(f: _Finder, node: n.RowExpr) -> None:
    f.type(node.row_typeid)


def _row_compare(f: _Finder, node: n.RowCompareExpr) -> None:
    for oid in node.opnos:
        f.operator(oid)


def _field_select(f: _Finder, node: n.FieldSelect) -> None:
    from pgemu.nodes import expr_type

    oid = expr_type(node.arg)
    row = f.catalog.one(r.PgType, oid=oid)
    while row is not None and row.typtype == "d":
        row = f.catalog.one(r.PgType, oid=row.typbasetype)
    if row is not None and row.typrelid:
        f.add(r.PgClass.RELID, row.typrelid, node.fieldnum)
    else:
        f.type(node.resulttype)
    f.collation(node.resultcollid)


def _collate(f: _Finder, node: n.CollateExpr) -> None:
    f.collation(node.coll_oid)


def _next_value(f: _Finder, node: n.NextValueExpr) -> None:
    f.add(r.PgClass.RELID, node.seqid)


def _sort_group(f: _Finder, node: n.SortGroupClause) -> None:
    f.operator(node.eqop)
    f.operator(node.sortop)


def _window_clause(f: _Finder, node: p.WindowClause) -> None:
    f.function(node.start_in_range_func)
    f.function(node.end_in_range_func)
    f.collation(node.in_range_coll)


def _range_function(f: _Finder, node: p.RangeTblFunction) -> None:
    for oid in node.coltypes if node.coldeflist else ():
        f.type(oid)


def _domain_value(f: _Finder, node: Any) -> None:
    f.type(node.type_id)


def _inference(f: _Finder, node: p.InferenceElem) -> None:
    f.add(r.PgOpclass.RELID, node.inferopclass)
    f.collation(node.infercollid)


def _on_conflict(f: _Finder, node: p.OnConflictExpr) -> None:
    f.add(r.PgConstraint.RELID, node.constraint)


def _subquery(f: _Finder, node: p.Query) -> bool:
    f.query(node)
    return False


def _array(f: _Finder, node: n.ArrayExpr) -> None:
    f.type(node.array_typeid)


_HANDLERS: dict[type, Any] = {
    n.Const: _const,
    n.FuncExpr: _func,
    n.OpExpr: _op,
    n.DistinctExpr: _op,
    n.NullIfExpr: _op,
    n.ScalarArrayOpExpr: _op,
    n.Var: _var,
    n.Param: _param,
    n.Aggref: _aggref,
    n.WindowFunc: _window,
    n.RelabelType: _relabel,
    n.CoerceViaIO: _relabel,
    n.ArrayCoerceExpr: _relabel,
    n.ConvertRowtypeExpr: _relabel,
    n.CoerceToDomain: _relabel,
    n.FieldStore: _relabel,
    n.RowExpr: _row,
    n.RowCompareExpr: _row_compare,
    n.FieldSelect: _field_select,
    n.CollateExpr: _collate,
    n.NextValueExpr: _next_value,
    n.ArrayExpr: _array,
    n.CoerceToDomainValue: _domain_value,
    n.SortGroupClause: _sort_group,
    p.WindowClause: _window_clause,
    p.RangeTblFunction: _range_function,
    p.InferenceElem: _inference,
    p.OnConflictExpr: _on_conflict,
    p.Query: _subquery,
}


def _without_covered(found: dict[ObjectAddress, None]) -> list[ObjectAddress]:
    """Columns instead of their table where both are mentioned?  PostgreSQL keeps the table row
    only when no column of it is mentioned (eliminate_duplicate_dependencies)."""
    with_columns = {a[:2] for a in found if a.objsubid}
    return [a for a in found if a.objsubid or a[:2] not in with_columns]


def find_expr_references(
    catalog: Catalog, tree: Any, rtable: list[p.RangeTblEntry] | None = None
) -> list[ObjectAddress]:
    """Every object that an expression (or Query, or list of either) mentions."""
    finder = _Finder(catalog, [rtable] if rtable is not None else [])
    walk([tree], finder.visit)
    return _without_covered(finder.found)


def record_dependency_on_expr(
    catalog: Catalog,
    depender: ObjectAddress,
    expr: Any,
    rtable: list[p.RangeTblEntry] | None = None,
    behavior: str = "n",
) -> None:
    """Record what an expression mentions; its Vars are of `rtable`."""
    record_multiple_dependencies(
        catalog, depender, find_expr_references(catalog, expr, rtable), behavior
    )


def record_dependency_on_query(
    catalog: Catalog, depender: ObjectAddress, query: p.Query, behavior: str = "n"
) -> None:
    """The same for a whole query (a view's rule)."""
    record_dependency_on_expr(catalog, depender, query, None, behavior)


def record_dependency_on_single_rel_expr(
    catalog: Catalog,
    depender: ObjectAddress,
    expr: Any,
    relid: int,
    behavior: str,
    self_behavior: str,
    reverse_self: bool = False,
) -> None:
    """The same for an expression over one table: dependencies on that table have their own type
    (self_behavior); reverse_self: its columns depend on the object instead (partition keys)."""
    rte = p.RangeTblEntry("relation", p.Alias(""), relid=relid, relkind="r")
    found = find_expr_references(catalog, expr, [rte])
    own = [a for a in found if a.classid == r.PgClass.RELID and a.objid == relid]
    others = [a for a in found if a not in own]
    if reverse_self:
        for address in own:
            record_multiple_dependencies(catalog, address, [depender], self_behavior)
    else:
        record_multiple_dependencies(catalog, depender, own, self_behavior)
    record_multiple_dependencies(catalog, depender, others, behavior)
