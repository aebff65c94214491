"""The target list of INSERT and UPDATE completed (rewriteTargetListIU of PostgreSQL's
rewriteHandler.c): defaults, identity and generated columns, DEFAULT inside VALUES, several
assignments to parts of one column.

Afterwards the list is in the order of the columns.  A column without default that INSERT does not
mention stays out of the list (it is NULL); so do generated columns, which the executor computes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAttribute, PgDepend, PgType
from pgemu.errors import PgError
from pgemu.errors.codes import GENERATED_ALWAYS, SYNTAX_ERROR
from pgemu.nodes.parsenodes import Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import (
    CoerceToDomain,
    Const,
    Expr,
    FieldStore,
    NextValueExpr,
    SetToDefault,
    SubscriptingRef,
    TargetEntry,
    Var,
)
from pgemu.rewrite.rewrite_manip import copy_object, copy_stored

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog

RELATION_RELID = 1259


def identity_sequence(catalog: Catalog, relid: int, attnum: int) -> int:
    """OID of the sequence behind an identity column (getIdentitySequence)."""
    for dep in catalog.all(PgDepend, refclassid=RELATION_RELID, refobjid=relid):
        if (
            dep.refobjsubid == attnum
            and dep.classid == RELATION_RELID
            and dep.deptype == "i"
            and catalog.relation(dep.objid).relkind == "S"
        ):
            return dep.objid
    raise PgError("XX000", f"no owned sequence found for column {attnum} of relation {relid}")


def build_column_default(catalog: Catalog, relation: Relation, attnum: int) -> Expr | None:
    """The expression that makes a column's default; None when that is NULL."""
    att = relation.attr(attnum)
    if att.attidentity:
        return NextValueExpr(identity_sequence(catalog, relation.oid, attnum), att.atttypid)
    default = relation.defaults.get(attnum)
    if default is not None:
        return copy_stored(default)
    if att.attgenerated:
        return None
    return _type_default(catalog, att)


def _type_default(catalog: Catalog, att: PgAttribute) -> Expr | None:
    """The default of a domain, for a column that has none itself."""
    row = catalog.one(PgType, oid=att.atttypid)
    if row is None:
        return None
    if row.typdefaultbin:
        expr: Expr | None = catalog.decode_node(row.typdefaultbin)
        if expr is not None:
            return _to_domain(copy_stored(expr), row, att)
    if row.typdefault is not None and row.typtype != "d":
        value = catalog.types.io(att.atttypid).input(row.typdefault, att.atttypmod, catalog.ctx)
        return Const(att.atttypid, value, att.atttypmod, att.attcollation)
    return None


def _to_domain(expr: Expr, row: PgType, att: PgAttribute) -> Expr:
    from pgemu.nodes.nodefuncs import expr_type

    if row.typtype == "d" and expr_type(expr) != row.oid:
        return CoerceToDomain(expr, row.oid, -1, att.attcollation)
    return expr


def null_for(catalog: Catalog, att: PgAttribute) -> Expr:
    """NULL of the column's type; checked when that is a domain."""
    row = catalog.one(PgType, oid=att.atttypid)
    if row is not None and row.typtype == "d":
        base = row
        while base.typtype == "d":
            found = catalog.one(PgType, oid=base.typbasetype)
            assert found is not None
            base = found
        return CoerceToDomain(
            Const(base.oid, None, row.typtypmod, att.attcollation),
            att.atttypid,
            -1,
            att.attcollation,
        )
    return Const(att.atttypid, None, att.atttypmod, att.attcollation)


def _generated_always(command: str, att: PgAttribute, *, identity: bool) -> PgError:
    if command == "insert":
        message = f'cannot insert a non-DEFAULT value into column "{att.attname}"'
    else:
        message = f'column "{att.attname}" can only be updated to DEFAULT'
    if identity:
        detail = f'Column "{att.attname}" is an identity column defined as GENERATED ALWAYS.'
        hint = "Use OVERRIDING SYSTEM VALUE to override." if command == "insert" else None
        return PgError(GENERATED_ALWAYS, message, detail=detail, hint=hint)
    return PgError(
        GENERATED_ALWAYS, message, detail=f'Column "{att.attname}" is a generated column.'
    )


class ValuesSource:
    """The VALUES entry behind a multi-row INSERT."""

    def __init__(self, rte: RangeTblEntry, rtindex: int) -> None:
        self.rte = rte
        self.rtindex = rtindex
        # columns that the target list stopped using, because a default took their place
        self.unused: set[int] = set()

    def column_of(self, entry: TargetEntry | None) -> int:
        """The VALUES column behind a target entry; 0: none."""
        var = entry.expr if entry is not None else None
        if isinstance(var, Var) and var.varno == self.rtindex and var.varlevelsup == 0:
            return var.varattno
        return 0

    def only_defaults(self, column: int) -> bool:
        return all(isinstance(row[column - 1], SetToDefault) for row in self.rte.values_lists)


def values_source(query: Query) -> ValuesSource | None:
    """The VALUES of an INSERT ... VALUES (...), (...)."""
    for item in query.jointree.fromlist:
        if isinstance(item, RangeTblRef):
            rte = query.rtable[item.rtindex - 1]
            if rte.rtekind == "values" and not rte.in_from_cl:
                return ValuesSource(rte, item.rtindex)
            if rte.rtekind == "values":
                return ValuesSource(rte, item.rtindex)
    return None


def rewrite_target_list_iu(
    catalog: Catalog,
    targetlist: list[TargetEntry],
    command: str,
    override: str,
    relation: Relation,
    values: ValuesSource | None = None,
) -> list[TargetEntry]:
    """The completed list; raises for values where only DEFAULT is allowed."""
    by_attno: dict[int, TargetEntry] = {}
    junk: list[TargetEntry] = []
    natts = len(relation.attrs)
    next_junk = natts + 1
    for entry in targetlist:
        if entry.resjunk:
            entry.resno = next_junk
            next_junk += 1
            junk.append(entry)
            continue
        att = relation.attr(entry.resno)
        if att.attisdropped:
            continue
        by_attno[entry.resno] = _process_matched_tle(entry, by_attno.get(entry.resno), att.attname)
    result: list[TargetEntry] = []
    for att in relation.attrs:
        if att.attisdropped:
            continue
        new = _complete_column(
            catalog, by_attno.get(att.attnum), command, override, relation, att, values
        )
        if new is not None:
            result.append(new)
    return result + junk


def _complete_column(
    catalog: Catalog,
    entry: TargetEntry | None,
    command: str,
    override: str,
    relation: Relation,
    att: PgAttribute,
    values: ValuesSource | None,
) -> TargetEntry | None:
    apply_default = (entry is None and command == "insert") or (
        entry is not None and isinstance(entry.expr, SetToDefault)
    )
    if command == "insert":
        column = values.column_of(entry) if values is not None else 0
        always = att.attidentity == "a"
        if always and not apply_default:
            if override == "user":
                apply_default = True
            elif override != "system":
                apply_default = bool(column and values is not None and values.only_defaults(column))
                if not apply_default:
                    raise _generated_always(command, att, identity=True)
        if att.attidentity == "d" and override == "user":
            apply_default = True
        if att.attgenerated and not apply_default:
            apply_default = bool(column and values is not None and values.only_defaults(column))
            if not apply_default:
                raise _generated_always(command, att, identity=False)
        if column and apply_default and values is not None:
            values.unused.add(column)
    elif entry is not None and not apply_default:
        if att.attidentity == "a":
            raise _generated_always(command, att, identity=True)
        if att.attgenerated:
            raise _generated_always(command, att, identity=False)
    if att.attgenerated:
        return None
    if apply_default:
        # an automatically updatable view: the base table's default will be put in later
        if relation.relkind == "v" and att.attnum not in relation.defaults:
            if command == "insert":
                return entry if entry is not None else None
            return entry
        expr = build_column_default(catalog, relation, att.attnum)
        if expr is None:
            expr = null_for(catalog, att)
            if command == "insert" and isinstance(expr, Const):
                return None
        return TargetEntry(expr, att.attnum, att.attname)
    return entry


def _assignment_input(node: Expr) -> tuple[Expr | None, Expr | None]:
    """(the field or element assignment in a target expression, what it starts from)."""
    inner: Any = node
    while isinstance(inner, CoerceToDomain):
        inner = inner.arg
    if isinstance(inner, FieldStore):
        return inner, inner.arg
    if isinstance(inner, SubscriptingRef) and inner.refassgnexpr is not None:
        return inner, inner.refexpr
    return None, None


def _process_matched_tle(
    entry: TargetEntry, prior: TargetEntry | None, attname: str
) -> TargetEntry:
    """Merge two assignments to parts of one column; anything else twice is an error."""
    if prior is None:
        return entry
    source, source_input = _assignment_input(entry.expr)
    before, before_input = _assignment_input(prior.expr)
    if source is None or before is None or source_input is None:
        raise PgError(SYNTAX_ERROR, f'multiple assignments to same column "{attname}"')
    del before_input
    wrapper = entry.expr
    prior_expr: Any = prior.expr
    while isinstance(prior_expr, CoerceToDomain):
        prior_expr = prior_expr.arg
    merged: Expr
    if isinstance(source, FieldStore):
        if isinstance(prior_expr, FieldStore):
            merged = FieldStore(
                prior_expr.arg,
                [*prior_expr.newvals, *source.newvals],
                [*prior_expr.fieldnums, *source.fieldnums],
                source.resulttype,
            )
        else:
            merged = FieldStore(prior_expr, source.newvals, source.fieldnums, source.resulttype)
    else:
        assert isinstance(source, SubscriptingRef)
        merged = copy_object(source)
        assert isinstance(merged, SubscriptingRef)
        merged.refexpr = prior_expr
    if isinstance(wrapper, CoerceToDomain):
        merged = CoerceToDomain(
            merged, wrapper.resulttype, wrapper.resulttypmod, wrapper.resultcollid
        )
    return TargetEntry(merged, entry.resno, entry.resname)


def rewrite_values_rte(
    catalog: Catalog, query: Query, values: ValuesSource, relation: Relation
) -> None:
    """Put the columns' defaults in place of DEFAULT in the VALUES rows.  For a view without a
    default of its own the DEFAULT stays, for the base table to be put in."""
    rte = values.rte
    if not any(isinstance(e, SetToDefault) for row in rte.values_lists for e in row):
        return
    attnos = {values.column_of(t): t.resno for t in query.target_list if values.column_of(t)}
    for row in rte.values_lists:
        for index, item in enumerate(row):
            if not isinstance(item, SetToDefault):
                continue
            column = index + 1
            if column in values.unused:
                row[index] = Const(item.type_id, None, item.type_mod, item.collation)
                continue
            attno = attnos.get(column, 0)
            if attno == 0:
                raise PgError("XX000", "cannot set value in column to DEFAULT")
            att = relation.attr(attno)
            expr = None if att.attisdropped else build_column_default(catalog, relation, attno)
            if expr is None:
                if relation.relkind == "v":
                    continue
                expr = null_for(catalog, att)
            row[index] = expr


def values_rte_to_nulls(values: ValuesSource) -> None:
    """DEFAULTs that no table gave a value for become NULL."""
    for row in values.rte.values_lists:
        for index, item in enumerate(row):
            if isinstance(item, SetToDefault):
                row[index] = Const(item.type_id, None, item.type_mod, item.collation)
