"""Expression nodes of an analyzed query (PostgreSQL's primnodes.h).

Every expression has a type OID, a typmod and a collation OID; `location` is the byte offset of the
construct in the source text (-1: unknown).  A Const's value is the *storage value* of its type
(see pgemu/types/README.md), never its text.  Nodes are mutable, but shared sub-trees are not
changed in place: use `mutate` of pgemu.nodes.walk.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from pgemu.nodes.node_class import node

if TYPE_CHECKING:
    from pgemu.nodes.parsenodes import Query

# What SQLite can hold: the storage value of every type is one of these.
Value = int | float | str | bytes | None


@node
class Expr:
    """Base of all expression nodes."""


@node
class Var(Expr):
    """Column `varattno` (1-based; 0 whole row; < 0 system column) of range table entry `varno`
    (1-based) of the query `varlevelsup` levels up."""

    varno: int
    varattno: int
    vartype: int
    vartypmod: int = -1
    varcollid: int = 0
    varlevelsup: int = 0
    location: int = -1


@node
class Const(Expr):
    """`literal_location` is the byte offset of the literal this constant came from when its value
    is the mere conversion of that literal (the plan cache turns those into parameters); None when
    the value was computed or when analysis looked at it."""

    consttype: int
    value: Value
    consttypmod: int = -1
    constcollid: int = 0
    location: int = -1
    literal_location: int | None = None

    @property
    def isnull(self) -> bool:
        return self.value is None


@node
class Param(Expr):
    """paramkind "extern": `$paramid` of the client; "exec": value number paramid supplied by the
    executor (SubPlan-like); "sublink": column paramid of the sub-select of the enclosing
    SubLink's testexpr; "multiexpr": column of a multi-assignment source; "new": the value that
    the statement gives to column paramid, which has been computed before."""

    paramkind: str
    paramid: int
    paramtype: int
    paramtypmod: int = -1
    paramcollid: int = 0
    location: int = -1


@node
class FuncExpr(Expr):
    """funcformat: "explicit_call", "explicit_cast", "implicit_cast" or "sql_syntax".  args are
    those of all parameters; notation tells how the call was written where that is not the same:
    (index into args, name or "") of each argument that was given."""

    funcid: int
    funcresulttype: int
    args: list[Expr]
    funcretset: bool = False
    funcvariadic: bool = False
    funcformat: str = "explicit_call"
    funccollid: int = 0
    inputcollid: int = 0
    location: int = -1
    notation: tuple[tuple[int, str], ...] = ()


@node
class NamedArgExpr(Expr):
    """`name => arg` before function resolution has put it in its place."""

    arg: Expr
    name: str
    argnumber: int = -1
    location: int = -1


@node
class OpExpr(Expr):
    """args has one or two elements; opfuncid is the pg_proc OID behind the operator."""

    opno: int
    opfuncid: int
    opresulttype: int
    args: list[Expr]
    opretset: bool = False
    opcollid: int = 0
    inputcollid: int = 0
    location: int = -1


@node
class DistinctExpr(OpExpr):
    """IS DISTINCT FROM: opno is the type's equality operator."""


@node
class NullIfExpr(OpExpr):
    """NULLIF(a, b): opno is the equality operator; the result type is that of a."""


@node
class ScalarArrayOpExpr(Expr):
    """scalar op ANY/ALL (array); use_or is True for ANY.  args = [scalar, array]."""

    opno: int
    opfuncid: int
    use_or: bool
    args: list[Expr]
    inputcollid: int = 0
    location: int = -1


@node
class BoolExpr(Expr):
    """boolop: "and", "or" (n-ary) or "not" (one argument)."""

    boolop: str
    args: list[Expr]
    location: int = -1


@node
class Aggref(Expr):
    """An aggregate call.  `args` are TargetEntry-wrapped (resno counts from 1); aggorder and
    aggdistinct are SortGroupClauses over them (matched by ressortgroupref).  For ordered-set
    aggregates aggdirectargs holds the direct arguments and args the aggregated ones."""

    aggfnoid: int
    aggtype: int
    args: list[TargetEntry]
    aggdirectargs: list[Expr] = field(default_factory=list)
    aggorder: list[SortGroupClause] = field(default_factory=list)
    aggdistinct: list[SortGroupClause] = field(default_factory=list)
    aggfilter: Expr | None = None
    aggstar: bool = False
    aggvariadic: bool = False
    aggkind: str = "n"
    aggargtypes: list[int] = field(default_factory=list)
    aggcollid: int = 0
    inputcollid: int = 0
    agglevelsup: int = 0
    location: int = -1


@node
class GroupingFunc(Expr):
    """GROUPING(...): refs are ressortgroupref numbers of the grouping expressions."""

    args: list[Expr]
    refs: list[int]
    agglevelsup: int = 0
    location: int = -1


@node
class WindowFunc(Expr):
    """winref is the WindowClause's winref; winagg: a plain aggregate used as window function."""

    winfnoid: int
    wintype: int
    args: list[Expr]
    winref: int
    aggfilter: Expr | None = None
    winstar: bool = False
    winagg: bool = False
    wincollid: int = 0
    inputcollid: int = 0
    location: int = -1


@node
class SubscriptingRef(Expr):
    """container[...]: lists run outermost subscript first; an omitted bound is None.
    refassgnexpr is the new value in an assignment.  For jsonb refcontainertype is jsonb."""

    refcontainertype: int
    refelemtype: int
    refrestype: int
    refexpr: Expr | None
    refupperindexpr: list[Expr | None]
    reflowerindexpr: list[Expr | None] = field(default_factory=list)
    refassgnexpr: Expr | None = None
    is_slice: bool = False
    reftypmod: int = -1
    refcollid: int = 0
    location: int = -1


@node
class FieldSelect(Expr):
    """Column fieldnum (1-based) of a composite value."""

    arg: Expr
    fieldnum: int
    resulttype: int
    resulttypmod: int = -1
    resultcollid: int = 0


@node
class FieldStore(Expr):
    """A composite value with some fields replaced (UPDATE t SET c.f = ...)."""

    arg: Expr | None
    newvals: list[Expr]
    fieldnums: list[int]
    resulttype: int


@node
class SubLink(Expr):
    """sublinktype: "exists", "all", "any", "rowcompare", "expr", "multiexpr", "array", "cte".
    testexpr uses Param("sublink", n) for the columns of the sub-select; operators of ANY/ALL and
    row comparisons are inside it."""

    sublinktype: str
    subselect: Query
    testexpr: Expr | None = None
    sublinkid: int = 0
    opername: list[str] = field(default_factory=list)
    location: int = -1


@node
class RelabelType(Expr):
    """A binary-coercible cast: the value stays as it is."""

    arg: Expr
    resulttype: int
    resulttypmod: int = -1
    resultcollid: int = 0
    relabelformat: str = "implicit_cast"
    location: int = -1


@node
class CoerceViaIO(Expr):
    """A cast through the text forms of both types."""

    arg: Expr
    resulttype: int
    resultcollid: int = 0
    coerceformat: str = "implicit_cast"
    location: int = -1


@node
class ArrayCoerceExpr(Expr):
    """A cast of each element; elemexpr computes it from a CaseTestExpr."""

    arg: Expr
    elemexpr: Expr
    resulttype: int
    resulttypmod: int = -1
    resultcollid: int = 0
    coerceformat: str = "implicit_cast"
    location: int = -1


@node
class ConvertRowtypeExpr(Expr):
    arg: Expr
    resulttype: int
    convertformat: str = "implicit_cast"
    location: int = -1


@node
class CollateExpr(Expr):
    arg: Expr
    coll_oid: int
    location: int = -1


@node
class CaseWhen(Expr):
    expr: Expr
    result: Expr
    location: int = -1


@node
class CaseExpr(Expr):
    """With `arg`, each CaseWhen.expr is a comparison whose left side is a CaseTestExpr."""

    casetype: int
    arg: Expr | None
    args: list[CaseWhen]
    defresult: Expr | None
    casecollid: int = 0
    location: int = -1


@node
class CaseTestExpr(Expr):
    """Placeholder for the value under test (CASE arg, array element, ...)."""

    type_id: int
    type_mod: int = -1
    collation: int = 0


@node
class ArrayExpr(Expr):
    """ARRAY[...]; multidims: the elements are arrays of the same array type."""

    array_typeid: int
    element_typeid: int
    elements: list[Expr]
    multidims: bool = False
    array_collid: int = 0
    location: int = -1


@node
class RowExpr(Expr):
    """ROW(...): row_typeid is RECORD or a composite type."""

    args: list[Expr]
    row_typeid: int
    row_format: str = "explicit_call"
    colnames: list[str] = field(default_factory=list)
    location: int = -1


@node
class RowCompareExpr(Expr):
    """(a, b) < (c, d): rctype is "<", "<=", ">=" or ">"."""

    rctype: str
    opnos: list[int]
    inputcollids: list[int]
    largs: list[Expr]
    rargs: list[Expr]


@node
class CoalesceExpr(Expr):
    coalescetype: int
    args: list[Expr]
    coalescecollid: int = 0
    location: int = -1


@node
class MinMaxExpr(Expr):
    """op: "greatest" or "least"."""

    minmaxtype: int
    op: str
    args: list[Expr]
    minmaxcollid: int = 0
    inputcollid: int = 0
    location: int = -1


@node
class SQLValueFunction(Expr):
    """CURRENT_DATE and its family; op is the raw tree's SVFOP_... name."""

    op: str
    type: int
    typmod: int = -1
    location: int = -1


@node
class XmlExpr(Expr):
    op: str
    name: str | None
    named_args: list[Expr]
    arg_names: list[str]
    args: list[Expr]
    xmloption: str
    type: int
    typmod: int = -1
    location: int = -1


@node
class TableFunc(Expr):
    """XMLTABLE: one entry of the col* lists for each column; ordinalitycol counts from 0."""

    ns_uris: list[Expr]
    ns_names: list[str]
    docexpr: Expr
    rowexpr: Expr
    colnames: list[str]
    coltypes: list[int]
    coltypmods: list[int]
    colcollations: list[int]
    colexprs: list[Expr | None]
    coldefexprs: list[Expr | None]
    notnulls: list[bool]
    ordinalitycol: int = -1
    location: int = -1


@node
class NullTest(Expr):
    """argisrow: the row-wise test of a composite argument."""

    arg: Expr
    is_null: bool
    argisrow: bool = False
    location: int = -1


@node
class BooleanTest(Expr):
    """booltesttype: "is_true", "is_not_true", "is_false", "is_not_false", "is_unknown",
    "is_not_unknown"."""

    arg: Expr
    booltesttype: str
    location: int = -1


@node
class CoerceToDomain(Expr):
    """Checks the domain's constraints; arg is of the base type already."""

    arg: Expr
    resulttype: int
    resulttypmod: int = -1
    resultcollid: int = 0
    coercionformat: str = "implicit_cast"
    location: int = -1


@node
class CoerceToDomainValue(Expr):
    """VALUE inside a domain's CHECK expression."""

    type_id: int
    type_mod: int = -1
    collation: int = 0
    location: int = -1


@node
class SetToDefault(Expr):
    """DEFAULT in INSERT or UPDATE, replaced by the rewriter."""

    type_id: int
    type_mod: int = -1
    collation: int = 0
    location: int = -1


@node
class CurrentOfExpr(Expr):
    """WHERE CURRENT OF: a cursor by name, or the parameter that holds its name."""

    cvarno: int
    cursor_name: str
    cursor_param: Param | None = None


@node
class NextValueExpr(Expr):
    """nextval of an identity column's sequence."""

    seqid: int
    type_id: int


@node
class TargetEntry(Expr):
    """An output column.  resjunk: needed for sorting or grouping only.  In INSERT and UPDATE
    resno is the attribute number of the target column."""

    expr: Expr
    resno: int
    resname: str | None = None
    ressortgroupref: int = 0
    resorigtbl: int = 0
    resorigcol: int = 0
    resjunk: bool = False


@node
class SortGroupClause:
    """sortop 0: cannot be sorted, only hashed (DISTINCT of such a type)."""

    tle_sort_group_ref: int
    eqop: int
    sortop: int
    nulls_first: bool = False
    hashable: bool = True
    descending: bool = False


@node
class RawExpr(Expr):
    """An analyzed-expression placeholder around a raw parse node (deferred analysis)."""

    raw: dict[str, Any]
