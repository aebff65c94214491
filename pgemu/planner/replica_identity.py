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
from pgemu.errors import OBJECT_NOT_IN_PREREQUISITE_STATE, PgError
from pgemu.nodes.parsenodes import Query

FIRST_NORMAL_OBJECT_ID = 16384


def check_replica_identity(catalog: Any, query: Query) -> None:
    """Of the tables that a statement updates or deletes from.  Row filters and column lists are
    not held against the identity."""
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
    publications = catalog.all(PgPublication)
    if (
        relation.oid < FIRST_NORMAL_OBJECT_ID
        or relation.relkind != "r"
        or relation.persistence != "p"
        or _has_identity(relation)
    ):
        return
    published = _publications_of(catalog, relation)
    column = f"pub{command}"
    if any((p.puballtables or p.oid in published) and getattr(p, column) for p in publications):
        verb, what, doing = (
            ("update", "updates", "updating")
            if command == "update"
            else ("delete from", "deletes", "deleting from")
        )
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot {verb} table "{relation.name}" because it does not have a replica identity '
            f"and publishes {what}",
            hint=f"To enable {doing} the table, set REPLICA IDENTITY using ALTER TABLE.",
        )


def _has_identity(relation: Any) -> bool:
    identity = relation.row.relreplident
    if identity == "d":
        return any(i.index.indisprimary and i.index.indimmediate for i in relation.indexes)
    return identity == "f" or any(i.index.indisreplident for i in relation.indexes)


def _publications_of(catalog: Any, relation: Any) -> set[int]:
    """Those that name the table, a partitioned table above it, or their schemas."""
    found: set[int] = set()
    while True:
        found |= {m.prpubid for m in catalog.all(PgPublicationRel, prrelid=relation.oid)}
        schemas = catalog.all(PgPublicationNamespace, pnnspid=relation.namespace)
        found |= {m.pnpubid for m in schemas}
        if not relation.row.relispartition:
            return found
        parent = catalog.one(PgInherits, inhrelid=relation.oid, inhseqno=1)
        relation = catalog.relation(parent.inhparent)
