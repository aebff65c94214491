"""Which lock a utility statement takes on which relations (PostgreSQL's tablecmds.c,
AlterTableGetLockLevel, and the callers of RangeVarGetRelid)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pgemu.catalog.acl import ACL_TRUNCATE, pg_class_aclcheck
from pgemu.catalog.namespace import get_namespace_oid, range_var_get_relid
from pgemu.catalog.rows import PgClass, PgInherits, PgPartitionedTable
from pgemu.errors import PgError

ACCESS_SHARE, ROW_SHARE, ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE = 1, 2, 3, 4
SHARE, SHARE_ROW_EXCLUSIVE, EXCLUSIVE, ACCESS_EXCLUSIVE = 5, 6, 7, 8

Locks = Iterator[tuple[int, int]]
Body = dict[str, Any]

_RELATIONS = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE",
              "OBJECT_FOREIGN_TABLE"}  # fmt: skip
_OF_TABLE = {"OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"}
_TRIGGER = {"AT_EnableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_EnableTrigAll",
            "AT_EnableTrigUser", "AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser",
            }  # fmt: skip
_WEAK = {"AT_SetStatistics", "AT_ClusterOn", "AT_DropCluster", "AT_SetOptions", "AT_ResetOptions",
         "AT_ValidateConstraint", "AT_AttachPartition", "AT_DetachPartitionFinalize",
         "AT_SetRelOptions", "AT_ResetRelOptions"}  # fmt: skip


def utility_locks(catalog: Any, tag: str, body: Body) -> list[tuple[int, int]]:
    """(relation OID, mode) in the order of locking."""
    rule = _RULES.get(tag)
    if rule is None:
        return []
    try:
        return [lock for lock in rule(catalog, body) if lock[0]]
    except PgError:
        return []  # the command finds the same error


def _find(catalog: Any, range_var: Any) -> int:
    body = range_var.get("RangeVar", range_var) if range_var else None
    return range_var_get_relid(catalog, body, True) if body else 0


def index_table(catalog: Any, names: Any) -> int:
    """The table that a statement about an index, or about a table's indexes, is about; 0: there
    is none.  names: a range variable or the parts of a name."""
    from pgemu.catalog.rows import PgIndex

    oid = _find(catalog, _range_var(list(names)) if isinstance(names, list) else names)
    row = catalog.one(PgIndex, indexrelid=oid) if oid else None
    return row.indrelid if row is not None else oid


def _with_children(catalog: Any, range_var: Any, mode: int) -> Locks:
    oid = _find(catalog, range_var)
    if oid >= 16384:
        body = range_var.get("RangeVar", range_var)
        for one in catalog.relation(oid).all_inheritors if body.get("inh") else (oid,):
            yield one, mode


def _one(catalog: Any, range_var: Any, mode: int) -> Locks:
    oid = _find(catalog, range_var)
    if oid >= 16384:
        yield oid, mode


def _range_var(names: list[Body]) -> Body:
    parts = [name["String"]["sval"] for name in names]
    found: Body = {"relname": parts[-1], "inh": True}
    if len(parts) > 1:
        found["schemaname"] = parts[-2]
    return found


def _truncate(catalog: Any, body: Body) -> Locks:
    for node in body["relations"]:
        oid = _find(catalog, node)
        if oid >= 16384 and not pg_class_aclcheck(catalog, oid, ACL_TRUNCATE):
            return  # refused before anything is locked (RangeVarCallbackForTruncate)
        yield from _with_children(catalog, node, ACCESS_EXCLUSIVE)


def _drop(catalog: Any, body: Body) -> Locks:
    kind = body.get("removeType")
    for node in body.get("objects", ()):
        names = node.get("List", {}).get("items", ()) if "List" in node else [node]
        if kind in _OF_TABLE:
            yield from _one(catalog, _range_var(list(names)[:-1]), ACCESS_EXCLUSIVE)
        elif kind in _RELATIONS:
            mode = SHARE_UPDATE_EXCLUSIVE if body.get("concurrent") else ACCESS_EXCLUSIVE
            oid = _find(catalog, _range_var(list(names)))
            if oid < 16384:
                continue
            relation = catalog.relation(oid)
            if kind == "OBJECT_INDEX":
                from pgemu.catalog.rows import PgIndex

                row = catalog.one(PgIndex, indexrelid=oid)
                if row is not None:
                    yield row.indrelid, mode
                    if relation.relkind == "I":
                        # the tables first: who uses them locks their indexes afterwards
                        for one in (oid, *catalog.relation(row.indrelid).all_inheritors[1:]):
                            yield one, mode
            elif relation.is_partition:  # also one that is half detached
                for parent in catalog.all(PgInherits, inhrelid=oid):
                    yield parent.inhparent, mode
            for one in relation.all_inheritors if relation.relkind in "pI" else (oid,):
                yield one, mode


def _alter_table(catalog: Any, body: Body) -> Locks:
    mode = 0
    referenced: list[Body] = []
    for node in body.get("cmds", ()):
        cmd = node["AlterTableCmd"]
        subtype = cmd.get("subtype")
        if subtype == "AT_AttachPartition":
            yield from _attach_partition(catalog, body["relation"], cmd["def"]["PartitionCmd"])
            return
        if subtype in ("AT_DetachPartition", "AT_DetachPartitionFinalize"):
            partition = cmd["def"]["PartitionCmd"]
            weak = partition.get("concurrent") or subtype == "AT_DetachPartitionFinalize"
            own = SHARE_UPDATE_EXCLUSIVE if weak else ACCESS_EXCLUSIVE
            yield from _one(catalog, body["relation"], own)
            if not partition.get("concurrent"):
                yield from _one(catalog, partition["name"], ACCESS_EXCLUSIVE)
            return
        mode = max(mode, _alter_level(cmd, referenced))
    yield from _with_children(catalog, body["relation"], mode or ACCESS_EXCLUSIVE)
    for range_var in referenced:
        yield from _one(catalog, range_var, SHARE_ROW_EXCLUSIVE)


def _attach_partition(catalog: Any, parent: Body, cmd: Body) -> Locks:
    """The new partition and the default one, whose rows are looked at, with all below them."""
    yield from _one(catalog, parent, SHARE_UPDATE_EXCLUSIVE)
    yield from _with_children(catalog, {**cmd["name"], "inh": True}, ACCESS_EXCLUSIVE)
    yield from _default_partition(catalog, parent)


def _default_partition(catalog: Any, parent: Body) -> Locks:
    oid = _find(catalog, parent)
    row = catalog.one(PgPartitionedTable, partrelid=oid) if oid else None
    if row is not None and row.partdefid:
        for one in catalog.relation(row.partdefid).all_inheritors:
            yield one, ACCESS_EXCLUSIVE


def _alter_level(cmd: Body, referenced: list[Body]) -> int:
    subtype = cmd.get("subtype", "AT_AddColumn")
    definition = cmd.get("def", {})
    constraints = [definition["Constraint"]] if "Constraint" in definition else []
    for node in definition.get("ColumnDef", {}).get("constraints", ()):
        constraints.append(node["Constraint"])
    foreign = [c for c in constraints if c.get("contype") == "CONSTR_FOREIGN"]
    referenced.extend(c["pktable"] for c in foreign if "pktable" in c)
    if subtype in _WEAK:
        return SHARE_UPDATE_EXCLUSIVE
    if subtype in _TRIGGER or (subtype == "AT_AddConstraint" and foreign):
        return SHARE_ROW_EXCLUSIVE
    return ACCESS_EXCLUSIVE


def _create_table(catalog: Any, body: Body) -> Locks:
    partition = "partbound" in body
    for node in body.get("inhRelations", ()):
        mode = ACCESS_EXCLUSIVE if partition else SHARE_UPDATE_EXCLUSIVE
        yield from _one(catalog, node, mode)
        if partition:
            yield from _default_partition(catalog, node)
    for element in body.get("tableElts", ()):
        own = [element["Constraint"]] if "Constraint" in element else []
        nodes = element.get("ColumnDef", {}).get("constraints", ())
        for constraint in [*own, *(n["Constraint"] for n in nodes)]:
            if constraint.get("contype") == "CONSTR_FOREIGN" and "pktable" in constraint:
                yield from _one(catalog, constraint["pktable"], SHARE_ROW_EXCLUSIVE)


def _rename(catalog: Any, body: Body) -> Locks:
    if "relation" in body:
        index = body.get("renameType") == "OBJECT_INDEX"
        mode = SHARE_UPDATE_EXCLUSIVE if index else ACCESS_EXCLUSIVE
        yield from _with_children(catalog, body["relation"], mode)


def _create_index(catalog: Any, body: Body) -> Locks:
    mode = SHARE_UPDATE_EXCLUSIVE if body.get("concurrent") else SHARE
    yield from _with_children(catalog, body["relation"], mode)


def _create_trigger(catalog: Any, body: Body) -> Locks:
    yield from _one(catalog, body.get("relation"), SHARE_ROW_EXCLUSIVE)
    yield from _one(catalog, body.get("constrrel"), ROW_SHARE)


def _copy(catalog: Any, body: Body) -> Locks:
    mode = ROW_EXCLUSIVE if body.get("is_from") else ACCESS_SHARE
    yield from _one(catalog, body.get("relation"), mode)


def _comment(catalog: Any, body: Body) -> Locks:
    kind = body.get("objtype")
    items = body.get("object", {}).get("List", {}).get("items", ())
    names = list(items)[:-1] if kind == "OBJECT_COLUMN" else list(items)
    if names and (kind == "OBJECT_COLUMN" or kind in _RELATIONS):
        yield from _one(catalog, _range_var(names), SHARE_UPDATE_EXCLUSIVE)


def _refresh(catalog: Any, body: Body) -> Locks:
    mode = EXCLUSIVE if body.get("concurrent") else ACCESS_EXCLUSIVE
    yield from _one(catalog, body["relation"], mode)


def _reindex(catalog: Any, body: Body) -> Locks:
    kind = body.get("kind")
    if kind == "REINDEX_OBJECT_SCHEMA":
        options = {n["DefElem"].get("defname") for n in body.get("params", ())}
        mode = SHARE_UPDATE_EXCLUSIVE if "concurrently" in options else SHARE
        for row in catalog.all(PgClass, relnamespace=get_namespace_oid(catalog, body["name"])):
            if row.relkind in "rm" and row.oid >= 16384:
                yield row.oid, mode
        return
    options = {n["DefElem"].get("defname") for n in body.get("params", ())}
    if "concurrently" in options:
        oid = index_table(catalog, body.get("relation"))
        if oid >= 16384:
            yield oid, SHARE_UPDATE_EXCLUSIVE
        return
    if kind != "REINDEX_OBJECT_INDEX":
        yield from _one(catalog, body.get("relation"), SHARE)
    # PostgreSQL locks the indexes thus, and whoever reads the table has locked its indexes too
    yield from _one(catalog, body.get("relation"), ACCESS_EXCLUSIVE)


def _alter_sequence(catalog: Any, body: Body) -> Locks:
    yield from _one(catalog, body["sequence"], SHARE_ROW_EXCLUSIVE)
    yield from _owner_of_sequence(catalog, body)


def _owner_of_sequence(catalog: Any, body: Body) -> Locks:
    """OWNED BY table.column (process_owned_by)"""
    for node in body.get("options", ()):
        items = node["DefElem"].get("arg", {}).get("List", {}).get("items", ())
        if node["DefElem"]["defname"] == "owned_by" and len(items) > 1:
            yield from _one(catalog, _range_var(list(items)[:-1]), ACCESS_SHARE)


def _on(key: str, mode: int) -> Callable[[Any, Body], Locks]:
    def rule(catalog: Any, body: Body) -> Locks:
        return _one(catalog, body.get(key), mode)

    return rule


_RULES: dict[str, Callable[[Any, Body], Locks]] = {
    "TruncateStmt": _truncate,
    "DropStmt": _drop,
    "AlterTableStmt": _alter_table,
    "CreateStmt": _create_table,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _on("relation", ACCESS_EXCLUSIVE),
    "IndexStmt": _create_index,
    "ReindexStmt": _reindex,
    "RefreshMatViewStmt": _refresh,
    "ViewStmt": _on("view", ACCESS_EXCLUSIVE),
    "RuleStmt": _on("relation", ACCESS_EXCLUSIVE),
    "CreateTrigStmt": _create_trigger,
    "CreatePolicyStmt": _on("table", ACCESS_EXCLUSIVE),
    "AlterPolicyStmt": _on("table", ACCESS_EXCLUSIVE),
    "AlterSeqStmt": _alter_sequence,
    "CreateSeqStmt": _owner_of_sequence,
    "ClusterStmt": _on("relation", ACCESS_EXCLUSIVE),
    "CommentStmt": _comment,
    "CopyStmt": _copy,
}
