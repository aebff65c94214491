"""Partitions: key and bounds in the catalogs, ATTACH, DETACH, indexes of partitions
(parse_utilcmd.c, partbounds.c and tablecmds.c's partition half).

A bound is stored as a dictionary: strategy, is_default, modulus, remainder, list (values), lower
and upper (values, or "min"/"max" markers as {"kind": "min"}); values are storage values.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.index import index_create
from pgemu.catalog.lsyscache import get_default_opclass
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PgClass,
    PgConstraint,
    PgDepend,
    PgInherits,
    PgPartitionedTable,
    PgType,
)
from pgemu.commands.attmap import map_columns_by_name
from pgemu.commands.foreign_key_partitions import clone_foreign_keys, detach_foreign_keys
from pgemu.commands.heap_ref import HeapRef, from_relation
from pgemu.commands.index_build import build_index
from pgemu.commands.indexcmds import (
    check_partition_key_covered,
    index_info_of,
    not_supported_detail,
)
from pgemu.commands.opclass_lookup import resolve_opclass
from pgemu.commands.partition_bounds import (
    Bound,
    bound_value,
    check_new_partition_bound,
    key_types,
    range_datum,
)
from pgemu.commands.partition_index import attach_existing_index
from pgemu.commands.trigger_clone import clone_triggers_to_partition, drop_cloned_triggers
from pgemu.errors import (
    DATATYPE_MISMATCH,
    INDETERMINATE_COLLATION,
    INVALID_OBJECT_DEFINITION,
    INVALID_TABLE_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_node import ParseExprKind

_STRATEGY = {
    "PARTITION_STRATEGY_RANGE": "r",
    "PARTITION_STRATEGY_LIST": "l",
    "PARTITION_STRATEGY_HASH": "h",
}


def store_partition_key(session: Any, heap: HeapRef, spec: dict[str, Any], text: str) -> None:
    """ComputePartitionAttrs and StorePartitionKey."""
    from pgemu.catalog.find_expr_references import record_dependency_on_single_rel_expr

    catalog = session.catalog
    raw = spec["strategy"]
    strategy = _STRATEGY.get(raw, raw[:1].lower())
    params = [p["PartitionElem"] for p in spec.get("partParams", ())]
    if strategy == "l" and len(params) != 1:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            'cannot use "list" partition strategy with more than one column',
        )
    am = 405 if strategy == "h" else 403
    am_name = "hash" if strategy == "h" else "btree"
    attnums: list[int] = []
    classes, collations, exprs = [], [], []
    for param in params:
        if param.get("name") and not heap.attnum(param["name"]):
            if heap.is_system_column(param["name"]):
                raise PgError(
                    INVALID_OBJECT_DEFINITION,
                    f'cannot use system column "{param["name"]}" in partition key',
                    location=param.get("location"),
                )
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{param["name"]}" named in partition key does not exist',
                location=param.get("location"),
            )
        key = _partition_expression(session, heap, param, text, len(attnums) + 1)
        if key.attnum and heap.columns[key.attnum - 1].generated:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                "cannot use generated column in partition key",
                detail=f'Column "{key.name}" is a generated column.',
                location=param.get("location"),
            )
        attnums.append(key.attnum)
        classes.append(_key_opclass(catalog, param.get("opclass"), key.type_id, am_name, am))
        collations.append(key.collation)
        if key.expr is not None:
            exprs.append(key.expr)
    row = PgPartitionedTable(
        heap.oid, strategy, len(params), 0, tuple(attnums), tuple(classes), tuple(collations),
        node_to_string(exprs) if exprs else None,
    )  # fmt: skip
    me = (PG_CLASS_RELID, heap.oid, 0)
    links = [depend((PG_CLASS_RELID, heap.oid, n), me, "i") for n in attnums if n]
    insert_rows(catalog, [row, *links])
    if exprs:
        record_dependency_on_single_rel_expr(
            catalog, ObjectAddress(*me), exprs, heap.oid, "n", "i", True
        )


def _key_opclass(catalog: Any, names: list[Any] | None, type_id: int, am_name: str, am: int) -> int:
    if not names and not get_default_opclass(catalog, type_id, am):
        raise PgError(
            UNDEFINED_OBJECT,
            f"data type {catalog.type_name(type_id)} has no default operator class for access "
            f'method "{am_name}"',
            hint=f"You must specify a {am_name} operator class or define a default {am_name} "
            "operator class for the data type.",
        )
    return resolve_opclass(catalog, names, type_id, am_name, am)


def _partition_expression(
    session: Any, heap: HeapRef, param: dict[str, Any], text: str, number: int
) -> Any:
    """One key column; its expression has a storable type and needs a column."""
    from pgemu.catalog.lsyscache import get_typtype
    from pgemu.commands.cook import referenced_columns
    from pgemu.commands.indexcmds import _key_source

    try:
        key = _key_source(
            session, heap, param, text, "partition key expression",
            ParseExprKind.EXPR_KIND_PARTITION_EXPRESSION,
        )  # fmt: skip
    except PgError as error:
        error.location = None  # transformPartitionSpec has no text to point to
        raise
    _set_collation(session.catalog, key, param)
    if key.expr is None:
        return key
    if key.type_id == 705 or get_typtype(session.catalog, key.type_id) == "p":
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f"partition key column {number} has pseudo-type "
            f"{session.catalog.type_name(key.type_id)}",
        )
    if not referenced_columns(key.expr):
        raise PgError(INVALID_OBJECT_DEFINITION, "cannot use constant expression as partition key")
    return key


def _set_collation(catalog: Any, key: Any, param: dict[str, Any]) -> None:
    from pgemu.catalog.namespace import get_collation_oid

    if param.get("collation"):
        key.collation = get_collation_oid(catalog, param["collation"])
    collatable = bool(catalog.one(PgType, oid=key.type_id).typcollation)
    if collatable and not key.collation:
        raise PgError(
            INDETERMINATE_COLLATION,
            "could not determine which collation to use for partition expression",
            hint="Use the COLLATE clause to set the collation explicitly.",
        )
    if not collatable and key.collation:
        raise PgError(
            DATATYPE_MISMATCH,
            f"collations are not supported by type {catalog.type_name(key.type_id)}",
        )


def transform_partition_bound(session: Any, parent: Any, raw: dict[str, Any], text: str) -> Bound:
    """transformPartitionBound."""
    key = parent.partition_key
    if raw.get("is_default"):
        if key.partstrat == "h":
            raise PgError(
                INVALID_TABLE_DEFINITION,
                "a hash-partitioned table may not have a default partition",
            )
        return {"strategy": key.partstrat, "is_default": True}
    words = {"h": "hash", "l": "list", "r": "range"}
    if raw["strategy"] != key.partstrat:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f"invalid bound specification for a {words[key.partstrat]} partition",
            location=raw.get("location"),
        )
    types = key_types(parent)
    if key.partstrat == "h":
        modulus, remainder = raw.get("modulus", 0), raw.get("remainder", 0)
        if modulus <= 0:
            raise PgError(
                INVALID_TABLE_DEFINITION,
                "modulus for hash partition must be an integer value greater than zero",
            )
        if remainder >= modulus:
            raise PgError(
                INVALID_TABLE_DEFINITION,
                "remainder for hash partition must be less than modulus",
            )
        return {"strategy": "h", "modulus": modulus, "remainder": remainder}
    if key.partstrat == "l":
        values: list[Any] = []
        for node in raw.get("listdatums", ()):
            value = bound_value(session, node, types[0], text)
            if value not in values:
                values.append(value)
        return {"strategy": "l", "list": values}
    bound: Bound = {"strategy": "r"}
    sides = (("lower", "lowerdatums", "FROM"), ("upper", "upperdatums", "TO"))
    for _, field, word in sides:
        if len(raw.get(field, [])) != len(types):
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f"{word} must specify exactly one value per partitioning column",
            )
    for side, field, _ in sides:
        nodes = raw.get(field, [])
        bound[side] = [
            range_datum(session, node, typ, text) for node, typ in zip(nodes, types, strict=True)
        ]
        _validate_infinite_bounds(bound[side], nodes)
    return bound


def _validate_infinite_bounds(datums: list[Any], nodes: list[Any]) -> None:
    """validateInfiniteBounds: after MINVALUE or MAXVALUE only the same may follow."""
    kind = ""
    for datum, node in zip(datums, nodes, strict=True):
        here = datum["kind"] if isinstance(datum, dict) else ""
        if kind and kind != here:
            inner = next(iter(node.values()))
            raise PgError(
                DATATYPE_MISMATCH,
                f"every bound following {kind.upper()}VALUE must also be {kind.upper()}VALUE",
                location=inner.get("location", 0),
            )
        kind = here


def partition_created(session: Any, heap: HeapRef, parent: Any, bound: Bound) -> None:
    """After CREATE TABLE ... PARTITION OF: default marker, indexes and foreign keys."""
    from pgemu.commands.partition_check import refuse_unique_indexes, validate_default_partition

    catalog = session.catalog
    if bound.get("is_default"):
        catalog.update(PgPartitionedTable, {"partrelid": parent.oid}, partdefid=heap.oid)
    parent = catalog.relation(parent.oid)
    if not bound.get("is_default"):
        validate_default_partition(session, parent, attaching=False)
    if heap.relkind == "f":
        refuse_unique_indexes(catalog.relation(heap.oid), parent, creating=True)
        clone_triggers_to_partition(session, parent, catalog.relation(heap.oid))
        return
    for index in parent.indexes:
        _clone_index(session, parent, index, heap)
    clone_foreign_keys(session, parent, heap.oid, attached=False)
    clone_triggers_to_partition(session, parent, catalog.relation(heap.oid))


def _clone_index(session: Any, parent: Any, index: Any, heap: HeapRef) -> None:
    """Make the index (and the constraint) of a partitioned table on one partition."""
    from pgemu.catalog.pg_constraint import choose_relation_name
    from pgemu.commands.constraint_cmds import (
        _create_constraint_and_index,
        choose_index_name_addition,
    )

    catalog = session.catalog
    info = index_info_of(catalog, index)
    info.is_partitioned = heap.relkind == "p"
    row_type = catalog.get(PgClass, oid=heap.oid).reltype
    for key in (*info.keys, *info.included):
        if key.attnum:
            key.attnum = heap.attnum(parent.attrs[key.attnum - 1].attname)
        key.expr = map_columns_by_name(key.expr, parent, heap.attnum, row_type)
    info.predicate = map_columns_by_name(info.predicate, parent, heap.attnum, row_type)
    con = index.constraint
    if info.is_partitioned and info.unique:
        word = "PRIMARY KEY" if info.primary else "UNIQUE"
        check_partition_key_covered(session, heap.oid, info.keys, word)
    columns = [k.name for k in (*info.keys, *info.included)]
    if con is not None and con.contype == "p":
        name = choose_relation_name(
            catalog, heap.name, None, "pkey", heap.namespace, is_constraint=True
        )
    else:
        label = "key" if con is not None else "idx"
        name = choose_relation_name(
            catalog, heap.name, choose_index_name_addition(columns), label, heap.namespace,
            is_constraint=con is not None,
        )  # fmt: skip
    if con is not None:
        flags = {"deferrable": con.condeferrable, "initdeferred": con.condeferred}
        _oid, index_oid = _create_constraint_and_index(
            session, heap, name, info, con.contype, flags, con.oid, index.oid
        )
    else:
        index_oid = index_create(session, heap, name, info, parent_index=index.oid)
        if heap.relkind != "p":
            build_index(session, heap, index_oid, name, info, heap_is_new=heap.is_new)
    me = (PG_CLASS_RELID, index_oid, 0)
    insert_rows(
        catalog,
        [
            PgInherits(index_oid, index.oid, 1, False),
            depend(me, (PG_CLASS_RELID, index.oid, 0), "P"),
            depend(me, (PG_CLASS_RELID, heap.oid, 0), "S"),
        ],
    )
    catalog.update(PgClass, {"oid": heap.oid}, relhasindex=True)
    catalog.update(PgClass, {"oid": index.oid}, relhassubclass=True)


def create_partition_indexes(
    session: Any, relation: Any, index_oid: int, constraint_oid: int = 0
) -> None:
    """CREATE INDEX on a partitioned table makes one on every partition."""
    del constraint_oid
    catalog = session.catalog
    for oid in relation.children:
        parent = catalog.relation(relation.oid)
        index = next(i for i in parent.indexes if i.oid == index_oid)
        child = from_relation(catalog.relation(oid))
        if child.relkind == "f" or attach_existing_index(session, parent, index, oid):
            continue
        before = {i.oid for i in catalog.relation(oid).indexes}
        _clone_index(session, parent, index, child)
        if child.relkind == "p":
            made = next(i for i in catalog.relation(oid).indexes if i.oid not in before)
            create_partition_indexes(session, catalog.relation(oid), made.oid)


def attach(session: Any, parent: Any, cmd: dict[str, Any], text: str) -> None:
    """ALTER TABLE ... ATTACH PARTITION."""
    from pgemu.catalog.namespace import range_var_get_relid
    from pgemu.commands.inherit import create_inheritance
    from pgemu.commands.partition_check import (
        check_attachable,
        refuse_unique_indexes,
        validate_default_partition,
        validate_partition_rows,
    )

    catalog = session.catalog
    child = catalog.relation(range_var_get_relid(catalog, cmd["name"]))
    if child.relkind not in "rpf":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'ALTER action ATTACH PARTITION cannot be performed on relation "{child.name}"',
            detail=not_supported_detail(child.relkind),
        )
    check_attachable(session, child, parent)
    bound = transform_partition_bound(session, parent, cmd["bound"], text)
    check_new_partition_bound(session, child.name, parent, bound, cmd["bound"])
    create_inheritance(session, child, parent, is_partition=True)
    catalog.update(
        PgClass, {"oid": child.oid}, relispartition=True, relpartbound=node_to_string(bound)
    )
    validate_partition_rows(session, catalog.relation(child.oid))
    if not bound.get("is_default"):
        validate_default_partition(session, catalog.relation(parent.oid), attaching=True)
    if bound.get("is_default"):
        catalog.update(PgPartitionedTable, {"partrelid": parent.oid}, partdefid=child.oid)
    heap = from_relation(catalog.relation(child.oid))
    if child.relkind == "f":
        refuse_unique_indexes(child, catalog.relation(parent.oid))
        clone_triggers_to_partition(session, parent, catalog.relation(child.oid))
        return
    for index in catalog.relation(parent.oid).indexes:
        if not attach_existing_index(session, parent, index, child.oid):
            _clone_index(session, parent, index, heap)
    clone_triggers_to_partition(session, parent, catalog.relation(child.oid))
    clone_foreign_keys(session, parent, child.oid, attached=True)


def detach(session: Any, parent: Any, cmd: dict[str, Any]) -> None:
    """ALTER TABLE ... DETACH PARTITION."""
    from pgemu.catalog.namespace import range_var_get_relid
    from pgemu.commands.detach import FINALIZE_HINT
    from pgemu.commands.inherit import remove_inheritance

    catalog = session.catalog
    child = catalog.relation(range_var_get_relid(catalog, cmd["name"]))
    link = catalog.one(PgInherits, inhrelid=child.oid, inhparent=parent.oid)
    if link is not None and link.inhdetachpending:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot detach partition "{child.name}"',
            detail="The partition is being detached concurrently or has an unfinished detach.",
            hint=FINALIZE_HINT,
        )
    remove_inheritance(session, child, parent)
    drop_cloned_triggers(session, child)
    detach_foreign_keys(session, parent, child)
    own = {c.oid for c in child.constraints}
    catalog.update(PgClass, {"oid": child.oid}, relispartition=False, relpartbound=None)
    catalog.update(
        PgPartitionedTable, {"partrelid": parent.oid, "partdefid": child.oid}, partdefid=0
    )
    for index in child.indexes:
        catalog.delete(PgInherits, inhrelid=index.oid)
        catalog.update(PgClass, {"oid": index.oid}, relispartition=False)
        for deptype in "PS":
            catalog.delete(PgDepend, classid=PG_CLASS_RELID, objid=index.oid, deptype=deptype)
    for con in child.constraints:
        if con.conparentid and con.conparentid not in own:
            catalog.update(
                PgConstraint, {"oid": con.oid}, conparentid=0, conislocal=True, coninhcount=0
            )
            for deptype in "PS":
                catalog.delete(
                    PgDepend, classid=PG_CONSTRAINT_RELID, objid=con.oid, deptype=deptype
                )
