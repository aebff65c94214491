"""What the details of error messages may tell of rows (PostgreSQL's BuildIndexValueDescription and
ExecBuildSlotValueDescription): nothing that the user could not have selected or has not written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pgemu.catalog.acl import ACL_SELECT, pg_attribute_aclcheck, pg_class_aclcheck
from pgemu.rewrite.row_security import check_enable_rls


def may_show_key(session: Any, relation: Any, attnums: Iterable[int]) -> bool:
    """Whether a key of these columns (0: an expression) may be shown."""
    catalog = session.catalog
    if check_enable_rls(catalog, relation, no_error=True):
        return False
    if pg_class_aclcheck(catalog, relation.oid, ACL_SELECT):
        return True
    return all(n and pg_attribute_aclcheck(catalog, relation.oid, n, ACL_SELECT) for n in attnums)


def shown_columns(session: Any, relation: Any, written: Iterable[int]) -> list[Any] | None:
    """The columns of a row that may be shown, given those that the statement has written; None:
    all of them."""
    catalog = session.catalog
    if check_enable_rls(catalog, relation, no_error=True):
        return []
    if pg_class_aclcheck(catalog, relation.oid, ACL_SELECT):
        return None
    known = set(written)
    return [
        attr
        for attr in relation.columns
        if attr.attnum in known
        or pg_attribute_aclcheck(catalog, relation.oid, attr.attnum, ACL_SELECT)
    ]
