"""Access control lists: their form, and who may do what.

Counterpart of PostgreSQL's utils/adt/acl.c and the checking half of catalog/aclchk.c.  Catalog
rows hold an ACL as a tuple of aclitem texts ("bob=arw*/postgres"), None standing for the default;
`Acl` is the parsed list.  Roles and superusers: roles.py.  Changing ACLs: acl_change.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgemu.catalog.roles import (
    get_role_oid,
    has_privs_of_role,
    role_name_or_oid,
    superuser_arg,
)
from pgemu.catalog.rows import (
    PgAttribute,
    PgClass,
    PgDatabase,
    PgForeignDataWrapper,
    PgForeignServer,
    PgLanguage,
    PgLargeobjectMetadata,
    PgNamespace,
    PgParameterAcl,
    PgProc,
    PgTablespace,
    PgType,
)
from pgemu.errors import (
    INTERNAL_ERROR,
    INVALID_GRANTOR,
    INVALID_TEXT_REPRESENTATION,
    PgError,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

ACL_INSERT = 1 << 0
ACL_SELECT = 1 << 1
ACL_UPDATE = 1 << 2
ACL_DELETE = 1 << 3
ACL_TRUNCATE = 1 << 4
ACL_REFERENCES = 1 << 5
ACL_TRIGGER = 1 << 6
ACL_EXECUTE = 1 << 7
ACL_USAGE = 1 << 8
ACL_CREATE = 1 << 9
ACL_CREATE_TEMP = 1 << 10
ACL_CONNECT = 1 << 11
ACL_SET = 1 << 12
ACL_ALTER_SYSTEM = 1 << 13
ACL_NO_RIGHTS = 0

ACL_ALL_RIGHTS_STR = "arwdDxtXUCTcsA"
ACL_ID_PUBLIC = 0

ACL_ALL_RIGHTS_COLUMN = ACL_INSERT | ACL_SELECT | ACL_UPDATE | ACL_REFERENCES
ACL_ALL_RIGHTS_RELATION = (1 << 7) - 1
ACL_ALL_RIGHTS_SEQUENCE = ACL_USAGE | ACL_SELECT | ACL_UPDATE
ACL_ALL_RIGHTS_DATABASE = ACL_CREATE | ACL_CREATE_TEMP | ACL_CONNECT
ACL_ALL_RIGHTS_SCHEMA = ACL_USAGE | ACL_CREATE
ACL_ALL_RIGHTS_LARGEOBJECT = ACL_SELECT | ACL_UPDATE
ACL_ALL_RIGHTS_PARAMETER_ACL = ACL_SET | ACL_ALTER_SYSTEM

PRIVILEGE_NAMES = {
    "INSERT": ACL_INSERT,
    "SELECT": ACL_SELECT,
    "UPDATE": ACL_UPDATE,
    "DELETE": ACL_DELETE,
    "TRUNCATE": ACL_TRUNCATE,
    "REFERENCES": ACL_REFERENCES,
    "TRIGGER": ACL_TRIGGER,
    "EXECUTE": ACL_EXECUTE,
    "USAGE": ACL_USAGE,
    "CREATE": ACL_CREATE,
    "TEMPORARY": ACL_CREATE_TEMP,
    "TEMP": ACL_CREATE_TEMP,
    "CONNECT": ACL_CONNECT,
    "SET": ACL_SET,
    "ALTER SYSTEM": ACL_ALTER_SYSTEM,
}

ROLE_PG_READ_ALL_DATA = 6181
ROLE_PG_WRITE_ALL_DATA = 6182


@dataclass(frozen=True, slots=True)
class AclItem:
    """Who (grantee; 0 is PUBLIC) got what (privs; goptions: with grant option) from whom."""

    grantee: int
    grantor: int
    privs: int
    goptions: int = 0


Acl = list[AclItem]


# --- text form ---------------------------------------------------------------------------------


def _getid(text: str, start: int) -> tuple[str, int]:
    """A role name, quoted or not, from `start`; the index behind it."""
    out = []
    quoted = False
    i = start
    while i < len(text):
        c = text[i]
        if c == '"':
            if quoted and text[i + 1 : i + 2] == '"':
                out.append('"')
                i += 2
                continue
            quoted = not quoted
        elif quoted or c.isalnum() or c == "_" or not c.isascii():
            out.append(c)
        else:
            break
        i += 1
    return "".join(out), i


def _putid(name: str) -> str:
    if name and all(c.isalnum() or c == "_" for c in name):
        return name
    return '"' + name.replace('"', '""') + '"'


def parse_aclitem(catalog: Catalog, text: str) -> AclItem:
    """aclitemin: `[group|user] name=privs[/grantor]`; without grantor the bootstrap superuser."""
    body = text.strip()
    name, i = _getid(body, 0)
    if body[i : i + 1] != "=" and name in ("group", "user"):
        while body[i : i + 1].isspace():
            i += 1
        name, i = _getid(body, i)
        if not name:
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                "missing name",
                hint='A name must follow the "group" or "user" key word.',
            )
    elif not body[i:].lstrip().startswith("="):
        raise PgError(
            INVALID_TEXT_REPRESENTATION,
            f'unrecognized key word: "{name}"',
            hint='ACL key word must be "group" or "user".',
        )
    while body[i : i + 1].isspace():
        i += 1
    if body[i : i + 1] != "=":
        raise PgError(INVALID_TEXT_REPRESENTATION, 'missing "=" sign')
    i += 1
    privs = goptions = last = 0
    while i < len(body) and (body[i].isalpha() or body[i] == "*"):
        if body[i] == "*":
            goptions |= last
        else:
            at = ACL_ALL_RIGHTS_STR.find(body[i])
            if at < 0:
                raise PgError(
                    INVALID_TEXT_REPRESENTATION,
                    f'invalid mode character: must be one of "{ACL_ALL_RIGHTS_STR}"',
                )
            last = 1 << at
            privs |= last
        i += 1
    grantee = get_role_oid(catalog, name) if name else ACL_ID_PUBLIC
    grantor = 10
    if body[i : i + 1] == "/":
        grantor_name, i = _getid(body, i + 1)
        if not grantor_name:
            raise PgError(INVALID_TEXT_REPRESENTATION, 'a name must follow the "/" sign')
        grantor = get_role_oid(catalog, grantor_name)
    else:
        catalog.ctx.session.notice(
            "WARNING", INVALID_GRANTOR, f"defaulting grantor to user ID {grantor}"
        )
    if body[i:].strip():
        raise PgError(
            INVALID_TEXT_REPRESENTATION, "extra garbage at the end of the ACL specification"
        )
    return AclItem(grantee, grantor, privs, goptions)


def format_aclitem(catalog: Catalog, item: AclItem) -> str:
    """aclitemout."""
    letters = []
    for n, letter in enumerate(ACL_ALL_RIGHTS_STR):
        if item.privs & (1 << n):
            letters.append(letter)
        if item.goptions & (1 << n):
            letters.append("*")
    grantee = _putid(role_name_or_oid(catalog, item.grantee)) if item.grantee else ""
    return f"{grantee}={''.join(letters)}/{_putid(role_name_or_oid(catalog, item.grantor))}"


def acl_from_texts(catalog: Catalog, texts: Iterable[str]) -> Acl:
    """The parsed list of an ACL column."""
    return [_item_from_catalog(catalog, t) for t in texts]


def _item_from_catalog(catalog: Catalog, text: str) -> AclItem:
    """As parse_aclitem, but cached, and a role that is gone is no error."""
    key = ("aclitem", text)
    found: AclItem | None = catalog.memo.get(key)
    if found is None:
        found = catalog.memo[key] = parse_aclitem(catalog, text)
    return found


def acl_to_texts(catalog: Catalog, acl: Acl) -> tuple[str, ...]:
    """What an ACL column holds."""
    return tuple(format_aclitem(catalog, item) for item in acl)


# --- defaults ------------------------------------------------------------------------------------

# object kind (as in acldefault) -> (rights of everybody, rights of the owner)
DEFAULT_RIGHTS = {
    "c": (0, 0),
    "r": (0, ACL_ALL_RIGHTS_RELATION),
    "s": (0, ACL_ALL_RIGHTS_SEQUENCE),
    "d": (ACL_CREATE_TEMP | ACL_CONNECT, ACL_ALL_RIGHTS_DATABASE),
    "f": (ACL_EXECUTE, ACL_EXECUTE),
    "l": (ACL_USAGE, ACL_USAGE),
    "L": (0, ACL_ALL_RIGHTS_LARGEOBJECT),
    "n": (0, ACL_ALL_RIGHTS_SCHEMA),
    "t": (0, ACL_CREATE),
    "F": (0, ACL_USAGE),
    "S": (0, ACL_USAGE),
    "T": (ACL_USAGE, ACL_USAGE),
    "p": (0, ACL_ALL_RIGHTS_PARAMETER_ACL),
}


def acldefault(kind: str, owner: int) -> Acl:
    """The ACL that NULL stands for.  kind: r table, s sequence, d database, f function,
    l language, L large object, n schema, t tablespace, F, S foreign things, T type, c column."""
    if kind not in DEFAULT_RIGHTS:
        raise PgError(INTERNAL_ERROR, f"unrecognized objtype abbreviation: {kind}")
    world, own = DEFAULT_RIGHTS[kind]
    acl = []
    if world:
        acl.append(AclItem(ACL_ID_PUBLIC, owner, world))
    if own:
        acl.append(AclItem(owner, owner, own))
    return acl


# --- checking ------------------------------------------------------------------------------------


def aclmask(
    catalog: Catalog, acl: Acl, roleid: int, owner: int, mask: int, *, any_of: bool = False
) -> int:
    """Which of the `mask` rights the role has (any_of: stop at the first).  The owner always has
    all grant options; with `mask << 16` bits grant options are asked for."""
    wanted = mask & 0xFFFF
    wanted_options = mask >> 16
    result = 0
    if wanted_options and has_privs_of_role(catalog, roleid, owner):
        result = wanted_options << 16
        if any_of or result == mask:
            return result

    def rights(item: AclItem) -> int:
        return (item.privs & wanted) | ((item.goptions & wanted_options) << 16)

    later = []
    for item in acl:
        if item.grantee in (ACL_ID_PUBLIC, roleid):
            result |= rights(item)
            if result and (any_of or result == mask):
                return result
        elif rights(item) & ~result:
            later.append(item)
    for item in later:
        if rights(item) & ~result and has_privs_of_role(catalog, roleid, item.grantee):
            result |= rights(item)
            if any_of or result == mask:
                return result
    return result


def _check(
    catalog: Catalog,
    kind: str,
    acl: tuple[str, ...] | None,
    owner: int,
    mode: int,
    roleid: int | None,
    any_of: bool = True,
) -> bool:
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    if superuser_arg(catalog, role):
        return True
    parsed = acldefault(kind, owner) if acl is None else acl_from_texts(catalog, acl)
    got = aclmask(catalog, parsed, role, owner, mode, any_of=any_of)
    return bool(got) if any_of else got == mode


def pg_class_aclmask(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> int:
    """Which of the rights the role has on a relation (0 too if there is no such relation)."""
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    row = catalog.one(PgClass, oid=oid)
    if row is None:
        return 0
    if superuser_arg(catalog, role):
        return mode
    system = row.oid < 16384 and row.relnamespace in (11, 99)
    if system and row.relkind != "v":
        mode &= ~(ACL_INSERT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE | ACL_USAGE)
    kind = "s" if row.relkind == "S" else "r"
    if row.relacl is None:
        acl = acldefault(kind, row.relowner)
    else:
        acl = acl_from_texts(catalog, row.relacl)
    result = aclmask(catalog, acl, role, row.relowner, mode)
    if mode & ACL_SELECT & ~result and has_privs_of_role(catalog, role, ROLE_PG_READ_ALL_DATA):
        result |= ACL_SELECT
    writes = ACL_INSERT | ACL_UPDATE | ACL_DELETE
    if mode & writes & ~result and has_privs_of_role(catalog, role, ROLE_PG_WRITE_ALL_DATA):
        result |= mode & writes
    return result


def pg_class_aclcheck(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> bool:
    """Has the role any of these rights on the relation?"""
    return pg_class_aclmask(catalog, oid, mode, roleid) != 0


def pg_attribute_aclcheck(
    catalog: Catalog, relid: int, attnum: int, mode: int, roleid: int | None = None
) -> bool:
    """Has the role any of these rights on the column itself (the table's ACL not looked at)?"""
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    att = catalog.one(PgAttribute, attrelid=relid, attnum=attnum)
    if att is None or att.attisdropped or att.attacl is None:
        return False
    owner = catalog.get(PgClass, oid=relid).relowner
    acl = acl_from_texts(catalog, att.attacl)
    return aclmask(catalog, acl, role, owner, mode, any_of=True) != 0


def pg_attribute_aclcheck_all(
    catalog: Catalog, relid: int, mode: int, how: str = "any", roleid: int | None = None
) -> bool:
    """Column rights over all columns: how "all": on every column, "any": on one at least."""
    columns = [
        a for a in catalog.all(PgAttribute, attrelid=relid) if a.attnum > 0 and not a.attisdropped
    ]
    if how == "any":
        return any(pg_attribute_aclcheck(catalog, relid, a.attnum, mode, roleid) for a in columns)
    return bool(columns) and all(
        pg_attribute_aclcheck(catalog, relid, a.attnum, mode, roleid) for a in columns
    )


def pg_proc_aclcheck(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> bool:
    row = catalog.one(PgProc, oid=oid)
    if row is None:
        return False
    return _check(catalog, "f", row.proacl, row.proowner, mode, roleid)


def pg_language_aclcheck(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> bool:
    row = catalog.get(PgLanguage, oid=oid)
    return _check(catalog, "l", row.lanacl, row.lanowner, mode, roleid)


def pg_namespace_aclcheck(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> bool:
    row = catalog.one(PgNamespace, oid=oid)
    if row is None:
        return False
    if oid == catalog.my_temp_namespace:
        # who may make temporary tables may do all, others may use what there is
        database = catalog.ctx.database_oid
        return mode == ACL_USAGE or pg_database_aclcheck(catalog, database, ACL_CREATE_TEMP, roleid)
    if _check(catalog, "n", row.nspacl, row.nspowner, mode, roleid):
        return True
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    return bool(mode & ACL_USAGE) and (
        has_privs_of_role(catalog, role, ROLE_PG_READ_ALL_DATA)
        or has_privs_of_role(catalog, role, ROLE_PG_WRITE_ALL_DATA)
    )


def pg_type_aclcheck(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> bool:
    row = catalog.get(PgType, oid=oid)
    if row.typelem and row.typlen == -1 and row.typcategory == "A":
        row = catalog.get(PgType, oid=row.typelem)
    return _check(catalog, "T", row.typacl, row.typowner, mode, roleid)


def pg_database_aclcheck(catalog: Catalog, oid: int, mode: int, roleid: int | None = None) -> bool:
    row = catalog.get(PgDatabase, oid=oid)
    return _check(catalog, "d", row.datacl, row.datdba, mode, roleid)


def pg_tablespace_aclcheck(
    catalog: Catalog, oid: int, mode: int, roleid: int | None = None
) -> bool:
    row = catalog.get(PgTablespace, oid=oid)
    return _check(catalog, "t", row.spcacl, row.spcowner, mode, roleid)


def pg_foreign_data_wrapper_aclcheck(
    catalog: Catalog, oid: int, mode: int, roleid: int | None = None
) -> bool:
    row = catalog.get(PgForeignDataWrapper, oid=oid)
    return _check(catalog, "F", row.fdwacl, row.fdwowner, mode, roleid)


def pg_foreign_server_aclcheck(
    catalog: Catalog, oid: int, mode: int, roleid: int | None = None
) -> bool:
    row = catalog.get(PgForeignServer, oid=oid)
    return _check(catalog, "S", row.srvacl, row.srvowner, mode, roleid)


def pg_largeobject_aclcheck(
    catalog: Catalog, oid: int, mode: int, roleid: int | None = None
) -> bool:
    row = catalog.get(PgLargeobjectMetadata, oid=oid)
    return _check(catalog, "L", row.lomacl, row.lomowner, mode, roleid)


def pg_parameter_aclcheck(
    catalog: Catalog, name: str, mode: int, roleid: int | None = None
) -> bool:
    """SET and ALTER SYSTEM on a parameter; without a row only superusers may."""
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    if superuser_arg(catalog, role):
        return True
    row: Any = catalog.one(PgParameterAcl, parname=name.lower())
    return row is not None and _check(catalog, "p", row.paracl, 10, mode, role)
