"""Whether rows of a published table can be changed (CheckCmdReplicaIdentity of execReplication.c):
a subscriber must be able to tell which row it was.

Asked when a plan is made: whatever changes the answer changes the catalogs, and plans with them.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import (
    PgInherits,
    PgPublication,
    PgPublicationNamespace,
    PgPublicationRel,
)
from pgemu.errors import (
    INVALID_COLUMN_REFERENCE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    PgError,
)
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import Var
from pgemu.nodes.walk import walk

FIRST_NORMAL_OBJECT_ID = 16384


def check_replica_identity(catalog: Any, query: Query) -> None:
    """Of the tables that a statement updates or deletes from."""
    commands = {query.command_type, *(a.command_type for a in query.merge_action_list)}
    if not commands & {"update", "delete"} or not catalog.all(PgPublication):
        return
    waiting = [query.rtable[query.result_relation - 1].relid]
    while waiting:
        relation = catalog.relation(waiting.pop())
        waiting += relation.children
        for command in sorted(commands & {"update", "delete"}):
            _check_cmd(catalog, relation, command)


def _check_cmd(catalog: Any, relation: Any, command: str) -> None:
    """CheckCmdReplicaIdentity."""
    if (
        relation.oid < FIRST_NORMAL_OBJECT_ID
        or relation.relkind != "r"
        or relation.persistence != "p"
    ):
        return
    verb, what, doing = (
        ("update", "updates", "updating")
        if command == "update"
        else ("delete from", "deletes", "deleting from")
    )
    lineage = _lineage(catalog, relation)
    published = _publications_of(catalog, lineage)
    publications = [
        p
        for p in catalog.all(PgPublication)
        if (p.puballtables or p.oid in published) and getattr(p, f"pub{command}")
    ]
    fault = _fault(catalog, relation, lineage, publications)
    if fault:
        raise PgError(
            INVALID_COLUMN_REFERENCE, f'cannot {verb} table "{relation.name}"', detail=fault
        )
    if publications and not _has_identity(relation):
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot {verb} table "{relation.name}" because it does not have a replica identity '
            f"and publishes {what}",
            hint=f"To enable {doing} the table, set REPLICA IDENTITY using ALTER TABLE.",
        )


def _fault(
    catalog: Any, relation: Any, lineage: list[Any], publications: list[PgPublication]
) -> str | None:
    """What RelationBuildPublicationDesc finds wrong; it looks no further once everything is
    published and cannot be."""
    by_filter = by_columns = False
    for publication in sorted(publications):
        member = _member(catalog, publication, lineage)
        if member is None:
            continue
        by_filter = by_filter or _filter_is_invalid(catalog, relation, member)
        by_columns = by_columns or _columns_are_invalid(catalog, relation, member)
        if (by_filter or by_columns) and all(
            getattr(publication, f"pub{c}") for c in ("insert", "update", "delete", "truncate")
        ):
            break
    if by_filter:
        return (
            "Column used in the publication WHERE expression is not part of the replica identity."
        )
    if by_columns:
        return "Column list used by the publication does not cover the replica identity."
    return None


def _identity_columns(relation: Any) -> set[str]:
    """INDEX_ATTR_BITMAP_IDENTITY_KEY, by name."""
    index = relation.replica_identity_index
    if index is None or not index.index.indimmediate:
        return set()
    return {relation.attr(n).attname for n in index.key_attnums if n}


def _member(catalog: Any, publication: Any, lineage: list[Any]) -> Any:
    """The row that publishes the table, or with publish_via_partition_root the topmost table
    above it that the publication has."""
    if publication.puballtables:
        return None
    for ancestor in reversed(lineage if publication.pubviaroot else lineage[:1]):
        row = catalog.one(PgPublicationRel, prrelid=ancestor.oid, prpubid=publication.oid)
        if row is not None:
            return row
        if catalog.one(PgPublicationNamespace, pnnspid=ancestor.namespace, pnpubid=publication.oid):
            return None
    return None


def _filter_is_invalid(catalog: Any, relation: Any, member: Any) -> bool:
    """pub_rf_contains_invalid_column."""
    if member.prqual is None or relation.row.relreplident == "f":
        return False
    source, identity = catalog.relation(member.prrelid), _identity_columns(relation)
    found = False

    def visit(node: Any) -> bool | None:
        nonlocal found
        if isinstance(node, Var):
            found = found or source.attr(node.varattno).attname not in identity
        return False if found else None

    walk([catalog.decode_node(member.prqual, "expr")], visit)
    return found


def _columns_are_invalid(catalog: Any, relation: Any, member: Any) -> bool:
    """pub_collist_contains_invalid_column: a list never covers REPLICA IDENTITY FULL."""
    if member.prattrs is None:
        return False
    if relation.row.relreplident == "f":
        return True
    source = catalog.relation(member.prrelid)
    listed = {source.attr(n).attname for n in member.prattrs}
    return not _identity_columns(relation) <= listed


def _has_identity(relation: Any) -> bool:
    identity = relation.row.relreplident
    if identity == "d":
        return any(i.index.indisprimary and i.index.indimmediate for i in relation.indexes)
    return identity == "f" or any(i.index.indisreplident for i in relation.indexes)


def _lineage(catalog: Any, relation: Any) -> list[Any]:
    """The table and the partitioned tables above it."""
    found = [relation]
    while found[-1].row.relispartition:
        parent = catalog.one(PgInherits, inhrelid=found[-1].oid, inhseqno=1)
        found.append(catalog.relation(parent.inhparent))
    return found


def _publications_of(catalog: Any, lineage: list[Any]) -> set[int]:
    """Those that name the table, a partitioned table above it, or their schemas."""
    found: set[int] = set()
    for relation in lineage:
        found |= {m.prpubid for m in catalog.all(PgPublicationRel, prrelid=relation.oid)}
        schemas = catalog.all(PgPublicationNamespace, pnnspid=relation.namespace)
        found |= {m.pnpubid for m in schemas}
    return found
