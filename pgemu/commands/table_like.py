"""CREATE TABLE (LIKE source INCLUDING ...): transformTableLikeClause and expandTableLikeClause."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import ColumnSpec
from pgemu.catalog.index import index_create
from pgemu.catalog.pg_constraint import choose_relation_name
from pgemu.catalog.rows import PG_CLASS_RELID, PgClass, PgDescription, PgSequence
from pgemu.commands.constraint_cmds import CheckSpec, add_check_constraints
from pgemu.commands.heap_ref import HeapRef
from pgemu.commands.index_build import build_index
from pgemu.commands.indexcmds import index_info_of
from pgemu.commands.inherit import map_variable_attnos
from pgemu.commands.parse_utilcmd import OwnedSequence, TableDef
from pgemu.commands.result import Statement
from pgemu.commands.sequence import owned_sequences
from pgemu.errors import WRONG_OBJECT_TYPE, PgError

COMMENTS, COMPRESSION, CONSTRAINTS, DEFAULTS, GENERATED, IDENTITY, INDEXES, STATISTICS, STORAGE = (
    1 << n for n in range(9)
)


def transform_table_like_clause(catalog: Any, table: TableDef, like: dict[str, Any]) -> None:
    """The source's columns, and its defaults as far as they were asked for."""
    from pgemu.catalog.namespace import range_var_get_relid

    source = catalog.relation(range_var_get_relid(catalog, like["relation"]))
    if source.relkind not in "rvmcfp":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'relation "{source.name}" is invalid in LIKE clause',
        )
    options = like.get("options", 0)
    start = len(table.columns)
    for att in source.columns:
        spec = ColumnSpec(
            att.attname,
            att.atttypid,
            att.atttypmod,
            collation=att.attcollation,
            not_null=att.attnotnull,
            ndims=att.attndims,
            storage=att.attstorage if options & STORAGE else "",
            compression=att.attcompression if options & COMPRESSION else "",
        )
        if att.attidentity and options & IDENTITY:
            spec.identity = att.attidentity
            table.sequences.append(_identity_sequence(catalog, source, att))
        table.columns.append(spec)
    mapping = {a.attnum: start + i for i, a in enumerate(source.columns, 1)}
    for attnum, expr in source.defaults.items():
        if options & DEFAULTS:
            table.columns[mapping[attnum] - 1].default = expr
    for attnum, expr in source.generated.items():
        if options & GENERATED:
            spec = table.columns[mapping[attnum] - 1]
            spec.default, spec.generated = map_variable_attnos(expr, mapping), "s"
    if options & (CONSTRAINTS | INDEXES | COMMENTS):
        table.likes.append((like["relation"], options))
        if options & INDEXES and source.primary_key is not None:
            for attnum in source.primary_key.key_attnums:
                table.columns[mapping[attnum] - 1].not_null = True


def _identity_sequence(catalog: Any, source: Any, att: Any) -> OwnedSequence:
    oid = owned_sequences(catalog, source.oid, att.attnum, "i")[0]
    seq = catalog.one(PgSequence, seqrelid=oid)
    values = {
        "start": seq.seqstart, "increment": seq.seqincrement, "maxvalue": seq.seqmax,
        "minvalue": seq.seqmin, "cache": seq.seqcache,
    }  # fmt: skip
    options: list[dict[str, Any]] = [
        {"defname": k, "arg": {"Float": {"fval": str(v)}}} for k, v in values.items()
    ]
    options.append({"defname": "cycle", "arg": {"Boolean": {"boolval": seq.seqcycle}}})
    return OwnedSequence(att.attname, att.atttypid, options, identity=True)


def expand_table_like_clauses(session: Any, heap: HeapRef, table: TableDef, st: Statement) -> None:
    """CHECK constraints, indexes and comments of the sources, after the table was made."""
    from pgemu.catalog.namespace import range_var_get_relid
    from pgemu.commands.comment import create_comment

    catalog = session.catalog
    for body, options in table.likes:
        source = catalog.relation(range_var_get_relid(catalog, body))
        mapping = {a.attnum: heap.attnum(a.attname) for a in source.columns}
        if options & CONSTRAINTS and source.checks:
            specs = [
                CheckSpec(
                    c.conname, expr=map_variable_attnos(e, mapping), no_inherit=c.connoinherit
                )
                for c, e in source.checks
            ]
            made = add_check_constraints(session, heap, specs, st.source_text)
            row = catalog.one(PgClass, oid=heap.oid)
            catalog.update(PgClass, {"oid": heap.oid}, relchecks=row.relchecks + len(made))
        if options & INDEXES:
            for index in catalog.relation(source.oid).indexes:
                _copy_index(session, heap, index, mapping)
        if options & COMMENTS:
            rows = catalog.all(PgDescription, objoid=source.oid, classoid=PG_CLASS_RELID)
            for row in rows:
                if row.objsubid:
                    create_comment(
                        catalog, heap.oid, PG_CLASS_RELID, mapping[row.objsubid], row.description
                    )


def _copy_index(session: Any, heap: HeapRef, index: Any, mapping: dict[int, int]) -> None:
    from pgemu.commands.constraint_cmds import (
        _create_constraint_and_index,
        choose_index_name_addition,
    )

    catalog = session.catalog
    info = index_info_of(catalog, index)
    info.is_partitioned = heap.relkind == "p"
    for key in (*info.keys, *info.included):
        if key.attnum:
            key.attnum = mapping[key.attnum]
        else:
            key.expr = map_variable_attnos(key.expr, mapping)
    if info.predicate is not None:
        info.predicate = map_variable_attnos(info.predicate, mapping)
    con = index.constraint
    names = choose_index_name_addition([k.name for k in (*info.keys, *info.included)])
    if con is not None and con.contype == "p":
        label, middle = "pkey", None
    elif con is not None:
        label, middle = "key", names
    else:
        label, middle = "idx", names
    name = choose_relation_name(
        catalog, heap.name, middle, label, heap.namespace, is_constraint=con is not None
    )
    if con is not None:
        flags = {"deferrable": con.condeferrable, "initdeferred": con.condeferred}
        _create_constraint_and_index(session, heap, name, info, con.contype, flags, 0, 0)
        catalog.update(PgClass, {"oid": heap.oid}, relhasindex=True)
        return
    oid = index_create(session, heap, name, info)
    if heap.relkind != "p":
        build_index(session, heap, oid, name, info, heap_is_new=True)
