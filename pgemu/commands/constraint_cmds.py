"""Constraints of tables: PRIMARY KEY, UNIQUE and EXCLUDE (with their indexes) and CHECK
(index_constraint_create, AddRelationNewConstraints and parts of parse_utilcmd.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.index import BTREE_AM_OID, IndexInfo, IndexKey, index_create
from pgemu.catalog.pg_constraint import (
    choose_constraint_name,
    choose_relation_name,
    constraint_name_is_used,
    constraint_row,
)
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PgClass,
    PgConstraint,
    PgIndex,
)
from pgemu.commands.cook import cook_constraint, referenced_columns, relation_pstate
from pgemu.commands.ddl_messages import implicit_index, verifying_table
from pgemu.commands.define import strings
from pgemu.commands.heap_ref import HeapRef
from pgemu.commands.index_build import build_index, compile_expr
from pgemu.commands.opclass_lookup import am_oid, resolve_opclass
from pgemu.commands.recheck_triggers import recheck_trigger_rows
from pgemu.commands.reloptions import transform_reloptions
from pgemu.commands.tablespace import index_tablespace
from pgemu.errors import (
    CHECK_VIOLATION,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLE_DEFINITION,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_sort_group import equal


@dataclass(slots=True)
class CheckSpec:
    """A CHECK constraint to be made; expr: already analyzed (inherited or LIKE)."""

    name: str | None
    raw: Any = None
    expr: Any = None
    no_inherit: bool = False
    valid: bool = True
    is_local: bool = True
    inhcount: int = 0
    # the raw expression of the child's own constraint that was merged with the inherited one
    own: Any = None


def choose_index_name_addition(names: Sequence[str]) -> str:
    """ChooseIndexNameAddition: column names joined, cut to a name's length."""
    text = "_".join(names)
    return text.encode()[:63].decode(errors="ignore")


def index_key_of_column(
    session: Any, heap: HeapRef, name: str, am: int, am_name: str, *, included: bool = False
) -> IndexKey:
    """A plain key column; 42703 when there is none."""
    attnum = heap.attnum(name)
    if heap.is_system_column(name):
        raise PgError(FEATURE_NOT_SUPPORTED, "index creation on system columns is not supported")
    if not attnum:
        raise PgError(UNDEFINED_COLUMN, f'column "{name}" named in key does not exist')
    col = heap.columns[attnum - 1]
    opclass = 0
    if not included:
        opclass = resolve_opclass(session.catalog, None, col.type_id, am_name, am)
    return IndexKey(
        attnum,
        name,
        col.type_id,
        col.typmod,
        collation=0 if included else col.collation,
        opclass=opclass,
        ndims=col.ndims,
    )


def add_index_constraint(
    session: Any,
    heap: HeapRef,
    con: dict[str, Any],
    *,
    parent_constraint: int = 0,
    parent_index: int = 0,
    key_names: list[str] | None = None,
) -> tuple[int, int]:
    """A PRIMARY KEY, UNIQUE or EXCLUDE constraint of raw node `con` with a new index; returns
    (constraint OID, index OID)."""
    catalog = session.catalog
    contype = con["contype"]
    if contype == "CONSTR_EXCLUSION":
        from pgemu.commands.exclusion import add_exclusion_constraint

        return add_exclusion_constraint(session, heap, con)
    names = key_names if key_names is not None else strings(con.get("keys"))
    primary = contype == "CONSTR_PRIMARY"
    keys = [index_key_of_column(session, heap, n, BTREE_AM_OID, "btree") for n in names]
    if heap.relkind == "p":
        from pgemu.commands.indexcmds import check_partition_key_covered, refuse_foreign_partitions

        if not heap.is_new:
            refuse_foreign_partitions(session, heap.oid)
        if not parent_constraint:
            word = "PRIMARY KEY" if primary else "UNIQUE"
            check_partition_key_covered(session, heap.oid, keys, word)
    included_names = strings(con.get("including"))
    included = [
        index_key_of_column(session, heap, n, BTREE_AM_OID, "btree", included=True)
        for n in included_names
    ]
    from pgemu.commands.indexcmds import _index_column_names

    column_names = _index_column_names([*keys, *included])
    name = con.get("conname")
    if name is None:
        if primary:
            name = choose_relation_name(
                catalog, heap.name, None, "pkey", heap.namespace, is_constraint=True
            )
        else:
            addition = choose_index_name_addition(column_names)
            name = choose_relation_name(
                catalog, heap.name, addition, "key", heap.namespace, is_constraint=True
            )
    elif name in heap.constraint_names or (
        not heap.is_new and constraint_name_is_used(catalog, heap.oid, name)
    ):
        raise PgError(
            DUPLICATE_OBJECT,
            f'constraint "{name}" for relation "{heap.name}" already exists',
        )
    heap.constraint_names.add(name)
    deferrable = bool(con.get("deferrable"))
    info = IndexInfo(
        keys,
        included,
        unique=True,
        primary=primary,
        immediate=not deferrable,
        nulls_not_distinct=bool(con.get("nulls_not_distinct")),
        reloptions=transform_reloptions(con.get("options"), "btree"),
        is_partitioned=heap.relkind == "p",
        tablespace=index_tablespace(session, con.get("indexspace"), heap),
    )
    return _create_constraint_and_index(
        session, heap, name, info, "p" if primary else "u", con, parent_constraint, parent_index
    )


def _create_constraint_and_index(
    session: Any,
    heap: HeapRef,
    name: str,
    info: IndexInfo,
    contype: str,
    con: dict[str, Any],
    parent_constraint: int,
    parent_index: int,
) -> tuple[int, int]:
    catalog = session.catalog
    if contype == "p" and any(i.indisprimary for i in catalog.all(PgIndex, indrelid=heap.oid)):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'multiple primary keys for table "{heap.name}" are not allowed',
        )
    implicit_index(session, heap, name, contype)
    index_oid = catalog.new_oid()
    constraint_oid = catalog.new_oid()
    index_create(
        session,
        heap,
        name,
        info,
        index_oid=index_oid,
        constraint_oid=constraint_oid,
        parent_index=parent_index,
        set_has_index=not heap.is_new,
    )
    attnums = tuple(k.attnum for k in info.keys)
    me = (PG_CONSTRAINT_RELID, constraint_oid, 0)
    rows: list[Any] = [
        constraint_row(
            constraint_oid,
            name,
            heap.namespace,
            contype,
            conrelid=heap.oid,
            conindid=index_oid,
            conkey=attnums,
            condeferrable=bool(con.get("deferrable")),
            condeferred=bool(con.get("initdeferred")),
            conparentid=parent_constraint,
            conislocal=not parent_constraint,
            coninhcount=1 if parent_constraint else 0,
            connoinherit=not parent_constraint,
        )
    ]
    rows.extend(recheck_trigger_rows(session, rows[0]))
    for attnum in dict.fromkeys(k.attnum for k in info.keys + info.included):
        rows.append(depend(me, (PG_CLASS_RELID, heap.oid, attnum), "a"))
    if parent_constraint:
        rows.append(depend(me, (PG_CONSTRAINT_RELID, parent_constraint, 0), "P"))
        rows.append(depend(me, (PG_CLASS_RELID, heap.oid, 0), "S"))
    insert_rows(catalog, rows)
    if not info.is_partitioned:
        build_index(session, heap, index_oid, name, info, heap_is_new=heap.is_new)
    return int(constraint_oid), index_oid


def check_index_usable(session: Any, relation: Any, con: dict[str, Any]) -> Any:
    """The index that ADD ... USING INDEX names; transformIndexConstraint's refusals."""
    catalog = session.catalog
    location = con.get("location", 0)
    index_name = con["indexname"]
    found = next((i for i in relation.all_indexes if i.name == index_name), None)
    if found is None:
        other = catalog.one(PgClass, relname=index_name, relnamespace=relation.namespace)
        if other is None:
            raise PgError("42704", f'index "{index_name}" does not exist', location=location)
        words = f'index "{index_name}" does not belong to table "{relation.name}"'
        raise PgError("55000", words, location=location)
    if found.constraint is not None:
        words = f'index "{index_name}" is already associated with a constraint'
        raise PgError("55000", words, location=location)
    if not found.index.indisvalid:
        raise PgError("55000", f'index "{index_name}" is not valid', location=location)
    _check_usable_index(catalog, relation, found, con)
    return found


def constraint_using_index(session: Any, relation: Any, con: dict[str, Any]) -> int:
    """ADD PRIMARY KEY / UNIQUE USING INDEX: the index becomes the constraint's."""
    catalog = session.catalog
    index_name = con["indexname"]
    found = check_index_usable(session, relation, con)
    if relation.relkind == "p":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables",
        )
    name = con.get("conname") or index_name
    if con.get("conname") and name != index_name:
        session.notice(
            "NOTICE",
            "00000",
            f'ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "{index_name}" '
            f'to "{name}"',
        )
        catalog.update(PgClass, {"oid": found.oid}, relname=name)
    return _adopt_index(session, relation, found, name, con)


def _check_usable_index(catalog: Any, relation: Any, found: Any, con: dict[str, Any]) -> None:
    """transformIndexConstraint: unique, complete, and sorted as a new index would be."""
    row, name = found.index, found.name

    def refuse(words: str) -> PgError:
        return PgError(
            WRONG_OBJECT_TYPE,
            words,
            detail="Cannot create a primary key or unique constraint using such an index.",
            location=con.get("location", 0),
        )

    if not row.indisunique:
        raise refuse(f'"{name}" is not a unique index')
    if row.indexprs is not None:
        raise refuse(f'index "{name}" contains expressions')
    if row.indpred is not None:
        raise refuse(f'"{name}" is a partial index')
    for position in range(row.indnkeyatts):
        att = relation.attrs[row.indkey[position] - 1]
        usual = resolve_opclass(catalog, None, att.atttypid, "btree", BTREE_AM_OID)
        if (row.indclass[position], row.indcollation[position], row.indoption[position]) != (
            usual, att.attcollation, 0,
        ):  # fmt: skip
            raise refuse(
                f'index "{name}" column number {position + 1} does not have default sorting '
                "behavior"
            )


def _adopt_index(session: Any, relation: Any, found: Any, name: str, con: dict[str, Any]) -> int:
    from pgemu.catalog.rows import PgDepend

    catalog = session.catalog
    primary = con["contype"] == "CONSTR_PRIMARY"
    oid = catalog.new_oid()
    deferrable = bool(con.get("deferrable"))
    attnums = tuple(found.key_attnums)
    row = constraint_row(
        oid, name, relation.namespace, "p" if primary else "u",
        conrelid=relation.oid, conindid=found.oid, conkey=attnums,
        condeferrable=deferrable, condeferred=bool(con.get("initdeferred")),
    )  # fmt: skip
    me = (PG_CONSTRAINT_RELID, oid, 0)
    catalog.delete(PgDepend, classid=PG_CLASS_RELID, objid=found.oid, deptype="a")
    rows: list[Any] = [row, depend((PG_CLASS_RELID, found.oid, 0), me, "i")]
    rows.extend(recheck_trigger_rows(session, row))
    rows.extend(depend(me, (PG_CLASS_RELID, relation.oid, n), "a") for n in attnums)
    insert_rows(catalog, rows)
    catalog.update(
        PgIndex, {"indexrelid": found.oid}, indisprimary=primary, indimmediate=not deferrable
    )
    return int(oid)


def check_single_primary_key(relname: str, constraints: Sequence[dict[str, Any]]) -> None:
    """42P16 for a second PRIMARY KEY."""
    found = [c for c in constraints if c["contype"] == "CONSTR_PRIMARY"]
    if len(found) > 1:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'multiple primary keys for table "{relname}" are not allowed',
            location=found[1].get("location", 0),
        )


def add_check_constraints(
    session: Any, heap: HeapRef, specs: Sequence[CheckSpec], source_text: str
) -> list[tuple[int, str, Any]]:
    """Make CHECK constraints; [(OID, name, expr)].  Names are chosen as PostgreSQL does; a
    repeated one is 42710."""
    catalog = session.catalog
    made: list[tuple[int, str, Any]] = []
    rows: list[Any] = []
    for spec in specs:
        expr = spec.expr
        if expr is None:
            pstate = relation_pstate(
                catalog, source_text, heap.oid, heap.name, heap.relkind, heap.pstate_columns()
            )
            expr = cook_constraint(pstate, spec.raw, heap.name)
        elif spec.own is not None:
            _merge_with_own(session, heap, spec, source_text)
        columns = referenced_columns(expr)
        name = _check_name(session, heap, spec, columns)
        heap.constraint_names.add(name)
        oid = catalog.new_oid()
        me = (PG_CONSTRAINT_RELID, oid, 0)
        keys = tuple(n for n in columns if n > 0)
        rows.append(
            constraint_row(
                oid, name, heap.namespace, "c",
                conrelid=heap.oid, conkey=keys or None, conbin=node_to_string(expr),
                convalidated=spec.valid, connoinherit=spec.no_inherit,
                conislocal=spec.is_local, coninhcount=spec.inhcount,
            )
        )  # fmt: skip
        targets = [(PG_CLASS_RELID, heap.oid, n) for n in keys] or [(PG_CLASS_RELID, heap.oid, 0)]
        rows.extend(depend(me, t, "a") for t in targets)
        made.append((oid, name, expr))
    insert_rows(catalog, rows)
    record_expression_dependencies(session, PG_CONSTRAINT_RELID, heap.oid, made)
    return made


def _merge_with_own(session: Any, heap: HeapRef, spec: CheckSpec, source_text: str) -> None:
    """MergeWithExistingConstraint: the child's constraint of this name says the same."""
    pstate = relation_pstate(
        session.catalog, source_text, heap.oid, heap.name, heap.relkind, heap.pstate_columns()
    )
    if not equal(cook_constraint(pstate, spec.own, heap.name), spec.expr):
        raise PgError(
            DUPLICATE_OBJECT,
            f'constraint "{spec.name}" for relation "{heap.name}" already exists',
        )
    session.notice("NOTICE", "00000", f'merging constraint "{spec.name}" with inherited definition')


def record_expression_dependencies(
    session: Any, classid: int, relid: int, made: Sequence[tuple[int, str, Any]]
) -> None:
    """What the expressions of constraints or defaults need (recordDependencyOnSingleRelExpr)."""
    from pgemu.catalog.find_expr_references import record_dependency_on_single_rel_expr
    from pgemu.catalog.objectaddress import ObjectAddress

    for oid, _name, expr in made:
        record_dependency_on_single_rel_expr(
            session.catalog, ObjectAddress(classid, oid, 0), expr, relid, "n", "n"
        )


def _check_name(session: Any, heap: HeapRef, spec: CheckSpec, columns: list[int]) -> str:
    catalog = session.catalog
    if spec.name is not None:
        if spec.name in heap.constraint_names or (
            not heap.is_new and constraint_name_is_used(catalog, heap.oid, spec.name)
        ):
            if heap.is_new:
                raise PgError(DUPLICATE_OBJECT, f'check constraint "{spec.name}" already exists')
            raise PgError(
                DUPLICATE_OBJECT,
                f'constraint "{spec.name}" for relation "{heap.name}" already exists',
            )
        return spec.name
    column = heap.columns[columns[0] - 1].name if len(columns) == 1 and columns[0] > 0 else None
    return choose_constraint_name(
        catalog, heap.name, column, "check", heap.namespace, heap.constraint_names
    )


def check_existing_rows(session: Any, heap: HeapRef, name: str) -> None:
    """Validate a CHECK constraint against the rows that are there; 23514."""
    catalog = session.catalog
    relation = catalog.relation(heap.oid)
    if relation.relkind != "r":
        return
    con = catalog.one(PgConstraint, conrelid=heap.oid, contypid=0, conname=name)
    expr = next(e for c, e in relation.checks if c.oid == con.oid)
    verifying_table(session, relation.name)
    text = compile_expr(session, heap.oid, expr)
    if session.xact.execute(f"SELECT 1 FROM {relation.sqlite_name} WHERE NOT ({text}) LIMIT 1"):
        raise PgError(
            CHECK_VIOLATION,
            f'check constraint "{name}" of relation "{heap.name}" is violated by some row',
            schema=heap.schema_name,
            table=heap.name,
            constraint=name,
        )


def exclusion_am(session: Any, con: dict[str, Any]) -> tuple[int, str]:
    """Access method of an EXCLUDE constraint: (OID, name)."""
    name = con.get("access_method") or "gist"
    return am_oid(session.catalog, name), name
