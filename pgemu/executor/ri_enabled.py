"""Whether a foreign key's triggers fire (the tests of tgenabled in PostgreSQL's TriggerEnabled).

ALTER TABLE ... DISABLE TRIGGER ALL and session_replication_role = replica switch foreign keys off,
as those who load data in any order expect.  Asked for each noted row, hence memoized.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgConstraint, PgTrigger

RI_FKEY_CHECK_FUNCTIONS = (1644, 1645)  # RI_FKey_check_ins and RI_FKey_check_upd
ON_DELETE, ON_UPDATE = 8, 16
_CHILD = ("child", "null")


def fires(session: Any, kind: str, constraint: PgConstraint) -> bool:
    """kind: of the event, "child" and "null" of the referencing side, "delete" and "update" of the
    referenced one; the others are no foreign key's."""
    role = session.guc.values["session_replication_role"]
    catalog, oid = session.catalog, constraint.oid
    relid = constraint.conrelid if kind in _CHILD else constraint.confrelid
    found: bool = catalog.cached_for_relation(
        relid, ("ri fires", kind, oid, role), lambda: _fires(catalog, kind, oid, str(role))
    )
    return found


def _fires(catalog: Any, kind: str, constraint: int, role: str) -> bool:
    if kind in ("unique", "exclude"):
        return True
    child = kind in _CHILD
    event = ON_DELETE if kind == "delete" else ON_UPDATE
    triggers = [
        t
        for t in catalog.all(PgTrigger, tgconstraint=constraint)
        if (t.tgfoid in RI_FKEY_CHECK_FUNCTIONS) == child and (child or t.tgtype & event)
    ]
    allowed = "RA" if role == "replica" else "OA"
    return not triggers or any(t.tgenabled in allowed for t in triggers)
