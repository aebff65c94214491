"""What GRANT and REVOKE do to an access control list (PostgreSQL's acl.c: aclupdate & co.)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.acl import ACL_ID_PUBLIC, Acl, AclItem
from pgemu.catalog.roles import has_privs_of_role, roles_is_member_of
from pgemu.errors import DEPENDENT_OBJECTS_STILL_EXIST, INVALID_GRANT_OPERATION, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

_ALL = 0xFFFF


def aclupdate(
    catalog: Catalog, acl: Acl, change: AclItem, mode: str, owner: int, cascade: bool = False
) -> Acl:
    """The list after a change.  mode "grant" adds, "revoke" takes away the privs and goptions of
    `change`; taking away grant options that others have used needs cascade."""
    if mode == "grant" and change.goptions and change.grantee != owner:
        _check_circularity(acl, change, owner)
    result = list(acl)
    at = next(
        (
            i
            for i, item in enumerate(result)
            if item.grantee == change.grantee and item.grantor == change.grantor
        ),
        None,
    )
    old = result[at] if at is not None else AclItem(change.grantee, change.grantor, 0)
    if mode == "grant":
        new = AclItem(
            old.grantee,
            old.grantor,
            old.privs | change.privs | change.goptions,
            old.goptions | change.goptions,
        )
    else:
        privs = old.privs & ~change.privs
        new = AclItem(old.grantee, old.grantor, privs, old.goptions & ~change.goptions & privs)
    if at is None:
        result.append(new)
    else:
        result[at] = new
    if not new.privs and not new.goptions:
        result.remove(new)
    lost = old.goptions & ~new.goptions
    if lost and change.grantee != owner:
        result = _recursive_revoke(catalog, result, change.grantee, lost, owner, cascade)
    return result


def _goptions_held(acl: Acl, role: int, owner: int) -> int:
    if role == owner:
        return _ALL
    held = 0
    for item in acl:
        if item.grantee == role:
            held |= item.goptions
    return held


def _check_circularity(acl: Acl, change: AclItem, owner: int) -> None:
    """Grant options may not be granted back to their own grantor."""
    if change.grantor == owner:
        return
    work = list(acl)
    again = True
    while again:
        again = False
        for item in work:
            if item.grantee == change.grantee and item.goptions & change.goptions:
                work.remove(item)
                dead = item.goptions
                work = [
                    i
                    for i in work
                    if not (i.grantor == item.grantee and i.privs & dead and i.grantor != owner)
                ]
                again = True
                break
    if change.goptions & ~_goptions_held(work, change.grantor, owner):
        raise PgError(
            INVALID_GRANT_OPERATION, "grant options cannot be granted back to your own grantor"
        )


def _recursive_revoke(
    catalog: Catalog, acl: Acl, grantee: int, revoked: int, owner: int, cascade: bool
) -> Acl:
    """Take away what the role granted by virtue of grant options that it has no more."""
    revoked &= ~_goptions_held(acl, grantee, owner)
    if not revoked:
        return acl
    result = list(acl)
    for item in acl:
        if item.grantor == grantee and item.privs & revoked and item in result:
            if not cascade:
                raise PgError(
                    DEPENDENT_OBJECTS_STILL_EXIST,
                    "dependent privileges exist",
                    hint="Use CASCADE to revoke them too.",
                )
            gone = item.privs & revoked
            change = AclItem(item.grantee, grantee, gone, gone)
            result = aclupdate(catalog, result, change, "revoke", owner, cascade)
    return result


def select_best_grantor(
    catalog: Catalog, role: int, privileges: int, acl: Acl, owner: int
) -> tuple[int, int]:
    """(grantor, the grant options that it has) for a GRANT by `role`: the owner if the role may
    act for him, else the role (of those it belongs to) with the most grant options."""
    if has_privs_of_role(catalog, role, owner):
        return owner, privileges
    best, options = role, _goptions_held(acl, role, owner) & privileges
    for other in sorted(roles_is_member_of(catalog, role, privileges=True)):
        held = _goptions_held(acl, other, owner) & privileges
        if held.bit_count() > options.bit_count():
            best, options = other, held
    return best, options


def aclmembers(acl: Acl) -> set[int]:
    """Every role that a list mentions."""
    found = {item.grantee for item in acl} | {item.grantor for item in acl}
    return found - {ACL_ID_PUBLIC}


def aclnewowner(acl: Acl, old_owner: int, new_owner: int) -> Acl:
    """ALTER ... OWNER TO: the new owner takes the old one's place; equal entries merge."""
    merged: dict[tuple[int, int], AclItem] = {}
    for item in acl:
        grantee = new_owner if item.grantee == old_owner else item.grantee
        grantor = new_owner if item.grantor == old_owner else item.grantor
        before = merged.get((grantee, grantor))
        privs = item.privs | (before.privs if before else 0)
        goptions = item.goptions | (before.goptions if before else 0)
        merged[grantee, grantor] = AclItem(grantee, grantor, privs, goptions)
    return list(merged.values())
