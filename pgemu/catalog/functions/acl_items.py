"""aclexplode, acldefault, makeaclitem, aclcontains: SQL access to ACLs (PostgreSQL's acl.c).

The storage value of an aclitem is its text, that of aclitem[] an array of texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pgemu.catalog import acl
from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.hash import signed, uint32_state

_WORDS = {bit: name for name, bit in acl.PRIVILEGE_NAMES.items() if name != "TEMP"}


def convert_any_priv_string(text: str, allowed: dict[str, int]) -> list[int]:
    """`SELECT, INSERT WITH GRANT OPTION` -> masks (grant options shifted by 16)."""
    masks = []
    for chunk in text.split(","):
        word = chunk.strip()
        if word.upper() not in allowed:
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized privilege type: "{word}"')
        masks.append(allowed[word.upper()])
    return masks


@pg_function("aclexplode(_aclitem)", context=True)
def aclexplode(ctx: CallContext, items: str) -> Iterator[tuple[int, int, str, bool]]:
    """(grantor, grantee, privilege_type, is_grantable)"""
    for text in json.loads(items):
        item = acl.parse_aclitem(ctx.catalog, text)
        for n in range(len(acl.ACL_ALL_RIGHTS_STR)):
            if item.privs & (1 << n):
                yield item.grantor, item.grantee, _WORDS[1 << n], bool(item.goptions & (1 << n))


@pg_function("acldefault(char, oid)", context=True)
def acldefault(ctx: CallContext, kind: str, owner: int) -> str:
    items = acl.acldefault(kind, owner)
    return json.dumps(list(acl.acl_to_texts(ctx.catalog, items)), separators=(",", ":"))


@pg_function("makeaclitem(oid, oid, text, bool)", context=True)
def makeaclitem(
    ctx: CallContext, grantee: int, grantor: int, privileges: str, grantable: int
) -> str:
    privs = acl.PRIVILEGE_NAMES.get(privileges.strip().upper())
    if privs is None:
        message = f'unrecognized privilege type: "{privileges}"'
        raise PgError(INVALID_PARAMETER_VALUE, message)
    item = acl.AclItem(grantee, grantor, privs, privs if grantable else 0)
    return acl.format_aclitem(ctx.catalog, item)


def _sum(ctx: CallContext, text: str) -> int:
    item = acl.parse_aclitem(ctx.catalog, text)
    return (item.privs | item.goptions << 16) + item.grantee + item.grantor & 0xFFFFFFFF


@pg_function("hash_aclitem(aclitem)", context=True)
def hash_aclitem(ctx: CallContext, text: str) -> int:
    return signed(_sum(ctx, text), 32)


@pg_function("hash_aclitem_extended(aclitem,int8)", context=True)
def hash_aclitem_extended(ctx: CallContext, text: str, seed: int) -> int:
    if not seed:
        return _sum(ctx, text)
    high, low = uint32_state(_sum(ctx, text), seed & 0xFFFFFFFFFFFFFFFF)
    return signed(high << 32 | low, 64)


@pg_function("aclcontains(_aclitem, aclitem)", context=True)
def aclcontains(ctx: CallContext, items: str, wanted: str) -> bool:
    want = acl.parse_aclitem(ctx.catalog, wanted)
    for text in json.loads(items):
        item = acl.parse_aclitem(ctx.catalog, text)
        if (
            (item.grantee, item.grantor) == (want.grantee, want.grantor)
            and item.privs & want.privs == want.privs
            and item.goptions & want.goptions == want.goptions
        ):
            return True
    return False


@pg_function("aclitemeq(aclitem, aclitem)", context=True)
def aclitemeq(ctx: CallContext, a: str, b: str) -> bool:
    return acl.parse_aclitem(ctx.catalog, a) == acl.parse_aclitem(ctx.catalog, b)


@pg_function("aclinsert(_aclitem, aclitem)")
def aclinsert(items: str, item: str) -> str:
    raise PgError(FEATURE_NOT_SUPPORTED, "aclinsert is no longer supported")


@pg_function("aclremove(_aclitem, aclitem)")
def aclremove(items: str, item: str) -> str:
    raise PgError(FEATURE_NOT_SUPPORTED, "aclremove is no longer supported")
