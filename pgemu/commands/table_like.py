"""CREATE TABLE (LIKE source INCLUDING ...): transformTableLikeClause and expandTableLikeClause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.catalog.acl import ACL_SELECT, ACL_USAGE, pg_class_aclcheck, pg_type_aclcheck
from pgemu.catalog.heap import ColumnSpec
from pgemu.catalog.index import index_create
from pgemu.catalog.pg_constraint import choose_relation_name
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PG_STATISTIC_EXT_RELID,
    PgClass,
    PgDescription,
    PgSequence,
)
from pgemu.commands.comment import create_comment
from pgemu.commands.constraint_cmds import CheckSpec, add_check_constraints
from pgemu.commands.heap_ref import HeapRef
from pgemu.commands.index_build import build_index
from pgemu.commands.indexcmds import index_info_of, not_supported_detail
from pgemu.commands.inherit import map_variable_attnos
from pgemu.commands.parse_utilcmd import OwnedSequence, TableDef
from pgemu.commands.permissions import aclcheck_error, relkind_word
from pgemu.commands.result import Statement
from pgemu.commands.sequence import owned_sequences
from pgemu.commands.statscmds import copy_statistics
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLE_DEFINITION,
    UNDEFINED_TABLE,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.event_triggers import collect_command

COMMENTS, COMPRESSION, CONSTRAINTS, DEFAULTS, GENERATED, IDENTITY, INDEXES, STATISTICS, STORAGE = (
    1 << n for n in range(9)
)


def transform_table_like_clause(catalog: Any, table: TableDef, like: dict[str, Any]) -> None:
    """The source's columns, and its defaults as far as they were asked for."""
    from pgemu.catalog.namespace import range_var_get_relid

    location = like["relation"].get("location", 0)
    if table.is_foreign:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "LIKE is not supported for creating foreign tables",
            location=location,
        )
    try:
        source = catalog.relation(range_var_get_relid(catalog, like["relation"]))
    except PgError as error:
        if error.sqlstate == UNDEFINED_TABLE:
            error.location = location
        raise
    if source.relkind not in "rvmcfp":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'relation "{source.name}" is invalid in LIKE clause',
            detail=not_supported_detail(source.relkind),
            location=location,
        )
    if source.relkind == "c":
        if not pg_type_aclcheck(catalog, source.row.reltype, ACL_USAGE):
            aclcheck_error("type", source.name)
    elif not pg_class_aclcheck(catalog, source.oid, ACL_SELECT):
        aclcheck_error(relkind_word(source.relkind), source.name)
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
    if options & (DEFAULTS | GENERATED | CONSTRAINTS | INDEXES | COMMENTS | STATISTICS):
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
    """CHECK constraints, indexes, statistics and comments of the sources, after the table was
    made."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    # the names that are taken are in the catalogs now
    heap = replace(heap, is_new=False)
    for body, options in table.likes:
        source = catalog.relation(range_var_get_relid(catalog, body))
        mapping = {a.attnum: heap.attnum(a.attname) for a in source.columns}
        comments = bool(options & COMMENTS)
        if comments:
            rows = catalog.all(PgDescription, objoid=source.oid, classoid=PG_CLASS_RELID)
            for row in rows:
                if row.objsubid:
                    create_comment(
                        catalog, heap.oid, PG_CLASS_RELID, mapping[row.objsubid], row.description
                    )
        if options & CONSTRAINTS and source.checks:
            _copy_checks(session, heap, source, mapping, st, comments)
        wanted = (
            (DEFAULTS, source.defaults),
            (GENERATED, source.generated),
            (CONSTRAINTS, source.checks),
        )
        if any(options & bit and found for bit, found in wanted):
            collect_command(session, "ALTER TABLE", PG_CLASS_RELID, heap.oid)
        if options & INDEXES:
            for index in catalog.relation(source.oid).indexes:
                made = _copy_index(session, heap, index, mapping)
                collect_command(session, "CREATE INDEX", PG_CLASS_RELID, made)
                if comments:
                    _copy_comment(catalog, PG_CLASS_RELID, index.oid, made)
        if options & STATISTICS:
            for old, new in copy_statistics(session, source, heap, mapping):
                collect_command(session, "CREATE STATISTICS", PG_STATISTIC_EXT_RELID, new)
                if comments:
                    _copy_comment(catalog, PG_STATISTIC_EXT_RELID, old, new)


def _copy_checks(
    session: Any,
    heap: HeapRef,
    source: Any,
    mapping: dict[int, int],
    st: Statement,
    comments: bool,
) -> None:
    catalog = session.catalog
    if heap.relkind == "p" and any(c.connoinherit for c, _expr in source.checks):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot add NO INHERIT constraint to partitioned table "{heap.name}"',
        )
    specs = [
        CheckSpec(c.conname, expr=map_variable_attnos(e, mapping), no_inherit=c.connoinherit)
        for c, e in source.checks
    ]
    made = add_check_constraints(session, heap, specs, st.source_text)
    row = catalog.one(PgClass, oid=heap.oid)
    catalog.update(PgClass, {"oid": heap.oid}, relchecks=row.relchecks + len(made))
    if comments:
        for (old, _expr), (oid, _name, _made) in zip(source.checks, made, strict=True):
            _copy_comment(catalog, PG_CONSTRAINT_RELID, old.oid, oid)


def _copy_comment(catalog: Any, classid: int, old: int, new: int) -> None:
    for row in catalog.all(PgDescription, objoid=old, classoid=classid):
        if not row.objsubid:
            create_comment(catalog, new, classid, 0, row.description)


def _copy_index(session: Any, heap: HeapRef, index: Any, mapping: dict[int, int]) -> int:
    """generateClonedIndexStmt; OID of the new index."""
    from pgemu.commands.constraint_cmds import (
        _create_constraint_and_index,
        choose_index_name_addition,
    )
    from pgemu.commands.exclusion import create_exclusion

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
        label, middle = ("excl" if con.contype == "x" else "key"), names
    else:
        label, middle = "idx", names
    name = choose_relation_name(
        catalog, heap.name, middle, label, heap.namespace, is_constraint=con is not None
    )
    if con is not None:
        flags = {"deferrable": con.condeferrable, "initdeferred": con.condeferred}
        if con.contype == "x":
            _constraint, oid = create_exclusion(
                session, heap, name, info, flags, tuple(con.conexclop)
            )
        else:
            _constraint, oid = _create_constraint_and_index(
                session, heap, name, info, con.contype, flags, 0, 0
            )
        return oid
    oid = index_create(session, heap, name, info)
    if heap.relkind != "p":
        build_index(session, heap, oid, name, info, heap_is_new=True)
    return oid
