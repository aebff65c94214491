"""ON COMMIT of temporary tables and the life of the temporary schema (tablecmds.c, namespace.c)."""

from __future__ import annotations

from functools import partial
from typing import Any

from pgemu.catalog.rows import PgClass, PgDepend, PgNamespace
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError


def register_on_commit_action(session: Any, oid: int, action: str) -> None:
    """Remember the action; forget it if the table's creation is rolled back."""
    actions = session.on_commit_actions
    hooks = session.xact.before_commit
    if not any(getattr(h, "func", None) is pre_commit_on_commit_actions for h in hooks):
        hooks.append(partial(pre_commit_on_commit_actions, session))
    actions[oid] = action
    session.xact.at_abort(lambda: actions.pop(oid, None))


def remove_on_commit_action(session: Any, oid: int) -> None:
    """The table was dropped."""
    session.on_commit_actions.pop(oid, None)


def pre_commit_on_commit_actions(session: Any) -> None:
    """PreCommit_on_commit_actions: called by the transaction just before it commits."""
    from pgemu.catalog.dependency import perform_deletion
    from pgemu.catalog.objectaddress import ObjectAddress

    actions: dict[int, str] = session.on_commit_actions
    for oid, action in list(actions.items()):
        row = session.catalog.one(PgClass, oid=oid)
        if row is None:
            del actions[oid]
        elif action == "ONCOMMIT_DELETE_ROWS":
            _check_foreign_keys(session, oid)
            if not row.relfilenode:
                continue  # partitioned: its partitions have actions of their own
            with session.xact.write():
                session.xact.writes_to(f"main.r{row.relfilenode}", row.relnatts)
                session.xact.execute(f"DELETE FROM r{row.relfilenode}")
        elif action == "ONCOMMIT_DROP":
            with session.xact.write():
                perform_deletion(
                    session.catalog, ObjectAddress(1259, oid, 0), "cascade", quietly=True
                )
            actions.pop(oid, None)


def _check_foreign_keys(session: Any, oid: int) -> None:
    """heap_truncate_check_FKs: who references an emptied table must be emptied with it."""
    catalog = session.catalog
    relation = catalog.relation(oid)
    for con in relation.referenced_by:
        if session.on_commit_actions.get(con.conrelid) != "ONCOMMIT_DELETE_ROWS":
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "unsupported ON COMMIT and foreign key combination",
                detail=f'Table "{catalog.relation(con.conrelid).name}" references '
                f'"{relation.name}", but they do not have the same ON COMMIT setting.',
            )


def reset_temp_table_namespace(session: Any) -> None:
    """ResetTempTableNamespace: drop everything in this session's temporary schema."""
    from pgemu.catalog.dependency import perform_deletion
    from pgemu.catalog.objectaddress import ObjectAddress

    catalog = session.catalog
    namespace = catalog.my_temp_namespace
    if not namespace:
        return

    def first(row: PgDepend) -> int:
        """Tables take with them what belongs to them, types the relations that describe them."""
        if row.classid != PgClass.RELID:
            return 1
        return 0 if catalog.get(PgClass, oid=row.objid).relkind in "rpvmf" else 2

    with session.xact.write():
        while inside := catalog.all(PgDepend, refclassid=PgNamespace.RELID, refobjid=namespace):
            row = min(inside, key=first)
            found = ObjectAddress(row.classid, row.objid, 0)
            perform_deletion(catalog, found, "cascade", quietly=True)
    session.on_commit_actions.clear()
