"""What depends on a column whose type changes (RememberAllDependentForRebuilding of tablecmds.c).

Views, rules, triggers, policies, functions and generated columns refuse the change.  Expressions of
indexes and statistics are kept as text and analyzed again over the new types; PostgreSQL makes
these objects again, here they stay and get new trees, classes and storage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pgparse

from pgemu.catalog.index import stored_type
from pgemu.catalog.lsyscache import get_default_opclass
from pgemu.catalog.objectaddress import ObjectAddress, get_object_description
from pgemu.catalog.rows import (
    PG_ATTRDEF_RELID,
    PG_CLASS_RELID,
    PG_REWRITE_RELID,
    PgAm,
    PgAttrdef,
    PgAttribute,
    PgConstraint,
    PgDepend,
    PgIndex,
    PgNamespace,
    PgOpclass,
    PgOperator,
    PgPolicy,
    PgProc,
    PgPublicationRel,
    PgStatisticExt,
    PgTrigger,
)
from pgemu.commands.cook import open_relation_pstate, referenced_columns
from pgemu.commands.exclusion import check_existing_rows, exclusion_operator
from pgemu.commands.heap_ref import from_relation
from pgemu.commands.indexcmds import rebuild_index
from pgemu.commands.opclass_lookup import resolve_opclass
from pgemu.errors import DATATYPE_MISMATCH, FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_collate import assign_expr_collations
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import ParseExprKind
from pgemu.rewrite.ruleutils import get_indexdef, get_statisticsobjdef

_REFUSING = {
    PgProc.RELID: "by a function or procedure",
    PG_REWRITE_RELID: "by a view or rule",
    PgTrigger.RELID: "in a trigger definition",
    PgPolicy.RELID: "in a policy definition",
    PgPublicationRel.RELID: "by a publication WHERE clause",
}


def check_dependents(catalog: Any, relation: Any, att: PgAttribute) -> None:
    """What refuses the change of a column that it uses."""
    for link in catalog.all(PgDepend, refclassid=PG_CLASS_RELID, refobjid=relation.oid):
        if link.refobjsubid != att.attnum:
            continue
        if link.classid in _REFUSING:
            address = ObjectAddress(link.classid, link.objid, link.objsubid)
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"cannot alter type of a column used {_REFUSING[link.classid]}",
                detail=f"{get_object_description(catalog, address)} depends on column "
                f'"{att.attname}"',
            )
        if link.classid == PG_ATTRDEF_RELID:
            row = catalog.one(PgAttrdef, oid=link.objid)
            if row is not None and row.adnum != att.attnum:
                other = relation.attrs[row.adnum - 1].attname
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    "cannot alter type of a column used by a generated column",
                    detail=f'Column "{att.attname}" is used by generated column "{other}".',
                )


@dataclass(slots=True)
class _IndexText:
    """The definition of an index, and which of its operator classes and collations were not those
    of the columns' types."""

    definition: str
    opclasses: list[list[Any] | None]
    collations: list[int]


@dataclass(slots=True)
class IndexTexts:
    """Indexes and statistics objects of one table that use columns that change, by OID."""

    indexes: dict[int, _IndexText] = field(default_factory=dict)
    statistics: dict[int, str] = field(default_factory=dict)

    def remember(self, session: Any, relation: Any, attnum: int) -> None:
        """Keep the texts of what uses the column, before it changes."""
        catalog = session.catalog
        for index in relation.all_indexes:
            trees = [*index.exprs, *([] if index.pred is None else [index.pred])]
            used = attnum in index.index.indkey or attnum in referenced_columns(trees)
            if used and index.oid not in self.indexes:
                self.indexes[index.oid] = _text_of_index(catalog, relation, index)
        for row in catalog.all(PgStatisticExt, stxrelid=relation.oid):
            if row.stxexprs and row.oid not in self.statistics:
                trees = catalog.decode_node(row.stxexprs, "exprlist", relation.oid)
                if attnum in referenced_columns(trees):
                    self.statistics[row.oid] = get_statisticsobjdef(catalog, row.oid) or ""

    def restore(self, session: Any, relation: Any) -> None:
        """Analyze the texts again; build all indexes on the table's new storage."""
        catalog = session.catalog
        for index in relation.all_indexes:
            if index.oid in self.indexes:
                _restore_index(catalog, relation, index, self.indexes[index.oid])
        for oid, text in self.statistics.items():
            elements = pgparse.parse(text)[0]["stmt"]["CreateStatsStmt"]["exprs"]
            raws = [e["StatsElem"]["expr"] for e in elements if "expr" in e["StatsElem"]]
            kind = ParseExprKind.EXPR_KIND_STATS_EXPRESSION
            exprs = [_analyze(catalog, relation, text, raw, kind) for raw in raws]
            catalog.update(PgStatisticExt, {"oid": oid}, stxexprs=node_to_string(exprs))
        for index in catalog.relation(relation.oid).indexes:
            rebuild_index(session, catalog.relation(relation.oid), index)
            if index.index.indisexclusion and index.oid in self.indexes:
                heap = from_relation(catalog.relation(relation.oid))
                check_existing_rows(session, heap, index.name, index.oid)


def _analyze(catalog: Any, relation: Any, sql: str, raw: Any, kind: ParseExprKind) -> Any:
    pstate = open_relation_pstate(catalog, sql, relation)
    try:
        expr = transform_expr(pstate, raw, kind)
        assign_expr_collations(pstate, expr)
    except PgError as error:
        if error.location is not None:  # PostgreSQL's is one in the definition too
            place = len(sql.encode()[: error.location].decode())
            error.location, error.position = None, place + 1
        raise
    return expr


def _text_of_index(catalog: Any, relation: Any, index: Any) -> _IndexText:
    row = index.index
    exprs = iter(index.exprs)
    opclasses: list[list[Any] | None] = []
    collations = []
    for position in range(row.indnkeyatts):
        attnum = row.indkey[position]
        if attnum:
            att = relation.attrs[attnum - 1]
            type_id, collation = att.atttypid, att.attcollation
        else:
            expr = next(exprs)
            type_id, collation = expr_type(expr), expr_collation(expr)
        opclass = row.indclass[position]
        named = None
        if get_default_opclass(catalog, type_id, index.pg_class.relam) != opclass:
            named = _opclass_name(catalog, opclass)
        opclasses.append(named)
        own = row.indcollation[position]
        collations.append(own if own != collation else 0)
    return _IndexText(get_indexdef(catalog, index.oid) or "", opclasses, collations)


def _opclass_name(catalog: Any, oid: int) -> list[Any]:
    """As ResolveOpClass takes it; with its schema where it is not found without."""
    row = catalog.get(PgOpclass, oid=oid)
    names = [row.opcname]
    if row.opcnamespace not in catalog.search_path():
        names.insert(0, catalog.get(PgNamespace, oid=row.opcnamespace).nspname)
    return [{"String": {"sval": name}} for name in names]


def _restore_index(catalog: Any, relation: Any, index: Any, texts: _IndexText) -> None:
    """pg_index and pg_attribute of an index over the new types."""
    row = index.index
    am = index.pg_class.relam
    am_name = catalog.get(PgAm, oid=am).amname
    text = texts.definition
    stmt = pgparse.parse(text)[0]["stmt"]["IndexStmt"]
    predicate, raw = None, stmt.get("whereClause")
    if raw is not None:
        kind = ParseExprKind.EXPR_KIND_INDEX_PREDICATE
        predicate = _analyze(catalog, relation, text, raw, kind)
    elements = [e["IndexElem"] for e in stmt["indexParams"]]
    kind = ParseExprKind.EXPR_KIND_INDEX_EXPRESSION
    exprs = [
        _analyze(catalog, relation, text, elem["expr"], kind) for elem in elements if "expr" in elem
    ]
    rest = iter(exprs)
    classes, collations = list(row.indclass), list(row.indcollation)
    for position, attnum in enumerate(row.indkey):
        if attnum:
            att = relation.attrs[attnum - 1]
            found = att.atttypid, att.atttypmod, att.attcollation
        else:
            expr = next(rest)
            found = expr_type(expr), expr_typmod(expr), expr_collation(expr)
        type_id, typmod, collation = found
        if position < row.indnkeyatts:
            own = texts.collations[position]
            if own and not collation:
                raise PgError(
                    DATATYPE_MISMATCH,
                    f"collations are not supported by type {catalog.type_name(type_id)}",
                )
            collation = own or collation
            opclass = resolve_opclass(catalog, texts.opclasses[position], type_id, am_name, am)
            classes[position], collations[position] = opclass, collation
            stored = stored_type(catalog, am, opclass, type_id)
            type_id, typmod = (stored, -1) if stored else (type_id, typmod)
        catalog.update(
            PgAttribute,
            {"attrelid": index.oid, "attnum": position + 1},
            atttypid=type_id,
            atttypmod=typmod,
            attcollation=collation,
        )
    changes: dict[str, Any] = {"indclass": tuple(classes), "indcollation": tuple(collations)}
    if exprs:
        changes["indexprs"] = node_to_string(exprs)
    if predicate is not None:
        changes["indpred"] = node_to_string(predicate)
    catalog.update(PgIndex, {"indexrelid": index.oid}, **changes)
    if row.indisexclusion:
        _restore_exclusion(catalog, relation, index.oid, exprs)


def _restore_exclusion(catalog: Any, relation: Any, index: int, exprs: list[Any]) -> None:
    """The operators of an EXCLUDE constraint, by their names for the new types."""
    con = catalog.get(PgConstraint, conindid=index, contype="x")
    rest = iter(exprs)
    operators = []
    for attnum, operator in zip(con.conkey, con.conexclop, strict=True):
        type_id = relation.attrs[attnum - 1].atttypid if attnum else expr_type(next(rest))
        row = catalog.get(PgOperator, oid=operator)
        words = [row.oprname]
        if row.oprnamespace not in catalog.search_path():
            words.insert(0, catalog.get(PgNamespace, oid=row.oprnamespace).nspname)
        operators.append(exclusion_operator(catalog, words, type_id))
    catalog.update(PgConstraint, {"oid": con.oid}, conexclop=tuple(operators))
