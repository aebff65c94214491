"""Comments on objects (the storing half of PostgreSQL's commands/comment.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.rows import PgDescription, PgShdescription

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


def create_comments(
    catalog: Catalog, objoid: int, classoid: int, objsubid: int, text: str | None
) -> None:
    """Set the comment of an object (or column); None or "" removes it."""
    key = {"objoid": objoid, "classoid": classoid, "objsubid": objsubid}
    if not text:
        catalog.delete(PgDescription, **key)
    elif not catalog.update(PgDescription, key, description=text):
        catalog.insert(PgDescription(**key, description=text))


def create_shared_comments(catalog: Catalog, objoid: int, classoid: int, text: str | None) -> None:
    """The same for databases, roles and tablespaces."""
    key = {"objoid": objoid, "classoid": classoid}
    if not text:
        catalog.delete(PgShdescription, **key)
    elif not catalog.update(PgShdescription, key, description=text):
        catalog.insert(PgShdescription(**key, description=text))


def get_comment(catalog: Catalog, objoid: int, classoid: int, objsubid: int = 0) -> str | None:
    """The comment of an object (CREATE TABLE LIKE INCLUDING COMMENTS)."""
    row = catalog.one(PgDescription, objoid=objoid, classoid=classoid, objsubid=objsubid)
    return row.description if row is not None else None


def delete_shared_comments(catalog: Catalog, objoid: int, classoid: int) -> None:
    catalog.delete(PgShdescription, objoid=objoid, classoid=classoid)
