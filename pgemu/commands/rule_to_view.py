"""CREATE RULE "_RETURN" ON SELECT: an empty table becomes a view (the conversion of PostgreSQL's
DefineQueryRewrite; old dumps break dependency loops of views with it).
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PG_REWRITE_RELID, PgClass, PgDepend, PgRewrite
from pgemu.commands.view import store_view_query
from pgemu.errors import OBJECT_NOT_IN_PREREQUISITE_STATE, WRONG_OBJECT_TYPE, PgError


def check_convertible(session: Any, relation: Any) -> None:
    """What a table must not have."""
    name, row = relation.name, relation.row
    if relation.relkind == "p":
        raise PgError(WRONG_OBJECT_TYPE, f'cannot convert partitioned table "{name}" to a view')
    if relation.is_partition:
        raise PgError(WRONG_OBJECT_TYPE, f'cannot convert partition "{name}" to a view')
    problem = hint = None
    if session.xact.execute(f"SELECT 1 FROM r{relation.relfilenode} LIMIT 1"):
        problem = "it is not empty"
    elif row.relhastriggers:
        problem = "it has triggers"
        hint = "In particular, the table cannot be involved in any foreign key relationships."
    elif row.relhasindex:
        problem = "it has indexes"
    elif relation.children:
        problem = "it has child tables"
    elif relation.parents:
        problem = "it has parent tables"
    elif row.relrowsecurity:
        problem = "it has row security enabled"
    elif relation.policies:
        problem = "it has row security policies"
    if problem:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'could not convert table "{name}" to a view because {problem}',
            hint=hint,
        )


def convert_to_view(session: Any, relation: Any, query: Any) -> None:
    catalog = session.catalog
    session.xact.drop_on_commit(f"main.r{relation.relfilenode}")
    catalog.update(
        PgClass,
        {"oid": relation.oid},
        relkind="v", relam=0, relfilenode=0, reltablespace=0, reltoastrelid=0, relpages=0,
        reltuples=0.0, relallvisible=0, relhasindex=False, relhasrules=True,
    )  # fmt: skip
    store_view_query(session, relation.oid, query)


def replace_view_query(session: Any, view: Any, query: Any) -> None:
    """OR REPLACE for what is a view already."""
    catalog = session.catalog
    old = catalog.one(PgRewrite, ev_class=view.oid, ev_type="1")
    catalog.delete(PgRewrite, oid=old.oid)
    catalog.delete(PgDepend, classid=PG_REWRITE_RELID, objid=old.oid)
    store_view_query(session, view.oid, query)
