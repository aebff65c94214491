"""GRANT and REVOKE on objects (PostgreSQL's aclchk.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import acl as a
from pgemu.catalog import rows as r
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import has_privs_of_role, superuser
from pgemu.commands.define import strings
from pgemu.commands.ownership import KINDS
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_spec import grantee_oid
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_GRANT_OPERATION,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)

_WORDS = {
    "select": a.ACL_SELECT, "insert": a.ACL_INSERT, "update": a.ACL_UPDATE,
    "delete": a.ACL_DELETE, "truncate": a.ACL_TRUNCATE, "references": a.ACL_REFERENCES,
    "trigger": a.ACL_TRIGGER, "execute": a.ACL_EXECUTE, "usage": a.ACL_USAGE,
    "create": a.ACL_CREATE, "temp": a.ACL_CREATE_TEMP, "temporary": a.ACL_CREATE_TEMP,
    "connect": a.ACL_CONNECT, "set": a.ACL_SET, "alter system": a.ACL_ALTER_SYSTEM,
}  # fmt: skip
# acldefault letter -> (all rights, word)
_ALL = {
    "r": (a.ACL_ALL_RIGHTS_RELATION, "relation"), "s": (a.ACL_ALL_RIGHTS_SEQUENCE, "sequence"),
    "d": (a.ACL_ALL_RIGHTS_DATABASE, "database"), "f": (a.ACL_EXECUTE, "function"),
    "l": (a.ACL_USAGE, "language"), "n": (a.ACL_ALL_RIGHTS_SCHEMA, "schema"),
    "T": (a.ACL_USAGE, "type"), "t": (a.ACL_CREATE, "tablespace"),
    "F": (a.ACL_USAGE, "foreign-data wrapper"), "S": (a.ACL_USAGE, "foreign server"),
    "c": (a.ACL_ALL_RIGHTS_COLUMN, "column"), "L": (a.ACL_ALL_RIGHTS_LARGEOBJECT, "large object"),
}  # fmt: skip
_KIND_OF = {
    "OBJECT_TABLE": "r", "OBJECT_SEQUENCE": "s", "OBJECT_DATABASE": "d", "OBJECT_FUNCTION": "f",
    "OBJECT_PROCEDURE": "f", "OBJECT_ROUTINE": "f", "OBJECT_LANGUAGE": "l", "OBJECT_SCHEMA": "n",
    "OBJECT_TYPE": "T", "OBJECT_DOMAIN": "T", "OBJECT_TABLESPACE": "t", "OBJECT_FDW": "F",
    "OBJECT_FOREIGN_SERVER": "S", "OBJECT_LARGEOBJECT": "L",
}  # fmt: skip
_PLAIN: dict[str, tuple[Any, str, str]] = {
    "OBJECT_DATABASE": (r.PgDatabase, "datname", "3D000"),
    "OBJECT_SCHEMA": (r.PgNamespace, "nspname", "3F000"),
    "OBJECT_LANGUAGE": (r.PgLanguage, "lanname", "42704"),
    "OBJECT_TABLESPACE": (r.PgTablespace, "spcname", "42704"),
    "OBJECT_FDW": (r.PgForeignDataWrapper, "fdwname", "42704"),
    "OBJECT_FOREIGN_SERVER": (r.PgForeignServer, "srvname", "42704"),
}


def privileges_of(kind: str, stmt: dict[str, Any]) -> tuple[int, list[tuple[int, list[str]]]]:
    """(rights on the object, [(rights, columns)]); an empty privilege list means ALL."""
    nodes = stmt.get("privileges")
    everything, word = _ALL[kind]
    if not nodes:
        return everything, []
    rights = 0
    columns: list[tuple[int, list[str]]] = []
    for node in nodes:
        priv = node["AccessPriv"]
        name = priv.get("priv_name")
        if priv.get("cols"):
            bit = _WORDS.get(name, 0) if name else a.ACL_ALL_RIGHTS_COLUMN
            if bit & ~a.ACL_ALL_RIGHTS_COLUMN:
                raise PgError(
                    INVALID_GRANT_OPERATION, f"invalid privilege type {name.upper()} for column"
                )
            columns.append((bit, strings(priv["cols"])))
            continue
        if name not in _WORDS:
            raise PgError(SYNTAX_ERROR, f'unrecognized privilege type "{name}"')
        bit = _WORDS[name]
        if bit & ~everything and not (kind == "r" and bit & a.ACL_ALL_RIGHTS_SEQUENCE):
            raise PgError(
                INVALID_GRANT_OPERATION, f"invalid privilege type {name.upper()} for {word}"
            )
        rights |= bit
    return rights, columns


def merge_acls(left: Any, right: Any) -> Any:
    """aclmerge: the rights of both."""
    merged = list(left)
    for item in right:
        merged = _add(merged, item.grantee, item.grantor, item.privs, item.goptions)
    return merged


def _add(acl: list[Any], grantee: int, grantor: int, privs: int, goptions: int) -> list[Any]:
    result = list(acl)
    for i, item in enumerate(result):
        if item.grantee == grantee and item.grantor == grantor:
            result[i] = a.AclItem(grantee, grantor, item.privs | privs, item.goptions | goptions)
            return result
    result.append(a.AclItem(grantee, grantor, privs, goptions))
    return result


def _remove(acl: list[Any], grantee: int, grantor: int, privs: int, goptions: int) -> list[Any]:
    result = []
    for item in acl:
        if item.grantee == grantee and item.grantor == grantor:
            item = a.AclItem(grantee, grantor, item.privs & ~privs, item.goptions & ~goptions)
            if not item.privs and not item.goptions:
                continue
        result.append(item)
    return result


def apply_grant(
    session: Any, acl: Any, stmt: dict[str, Any], rights: int, grantor: int, owner: int
) -> Any:
    """merge_acl_with_grant."""
    result = list(acl)
    is_grant = bool(stmt.get("is_grant"))
    option = bool(stmt.get("grant_option"))
    for spec in stmt["grantees"]:
        grantee = grantee_oid(session, spec)
        if is_grant and option and grantee == 0:
            raise PgError(INVALID_GRANT_OPERATION, "grant options can only be granted to roles")
        if is_grant:
            result = _add(result, grantee, grantor, rights, rights if option else 0)
            continue
        privs = 0 if option else rights
        result = _remove(result, grantee, grantor, privs, rights if grantee != owner else 0)
        result = _revoke_dependents(session, result, grantee, grantor, rights, owner, stmt)
    return result


def _revoke_dependents(
    session: Any, acl: list[Any], role: int, grantor: int, rights: int, owner: int, stmt: Any
) -> list[Any]:
    """recursive_revoke: what the role granted on needs its grant option."""
    del grantor
    if role in (0, owner):
        return acl
    held = a.aclmask(session.catalog, acl, role, owner, rights << 16) >> 16
    lost = rights & ~held
    dependents = [i for i in acl if i.grantor == role and i.privs & lost]
    if dependents and stmt.get("behavior") != "DROP_CASCADE":
        raise PgError("2BP01", "dependent privileges exist", hint="Use CASCADE to revoke them too.")
    for item in dependents:
        acl = _remove(acl, item.grantee, role, item.privs & lost, item.goptions & lost)
        acl = _revoke_dependents(session, acl, item.grantee, role, lost, owner, stmt)
    return acl


def grant(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """GRANT / REVOKE on objects of every kind."""
    objtype = stmt["objtype"]
    if objtype not in _KIND_OF:
        raise PgError(FEATURE_NOT_SUPPORTED, f"GRANT on {objtype} is not supported")
    kind = _KIND_OF[objtype]
    for address in _targets(session, stmt, objtype):
        _grant_on(session, stmt, kind, address)
    return CommandResult("GRANT" if stmt.get("is_grant") else "REVOKE")


def _targets(session: Any, stmt: dict[str, Any], objtype: str) -> list[ObjectAddress]:
    from pgemu.catalog.namespace import get_namespace_oid, range_var_get_relid

    catalog = session.catalog
    nodes = stmt.get("objects", [])
    if stmt["targtype"] == "ACL_TARGET_ALL_IN_SCHEMA":
        found = []
        for name in strings(nodes):
            namespace = get_namespace_oid(catalog, name)
            if objtype in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
                kinds = "S" if objtype == "OBJECT_SEQUENCE" else "rvmfp"
                found += [
                    ObjectAddress(r.PgClass.RELID, c.oid, 0)
                    for c in catalog.all(r.PgClass, relnamespace=namespace)
                    if c.relkind in kinds
                ]
            else:
                prokinds = {"OBJECT_FUNCTION": "faw", "OBJECT_PROCEDURE": "p"}.get(objtype, "fawp")
                found += [
                    ObjectAddress(r.PgProc.RELID, f.oid, 0)
                    for f in catalog.all(r.PgProc, pronamespace=namespace)
                    if f.prokind in prokinds
                ]
        return found
    if objtype in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
        return [
            ObjectAddress(r.PgClass.RELID, range_var_get_relid(catalog, n["RangeVar"]), 0)
            for n in nodes
        ]
    if objtype in _PLAIN:
        cls, column, code = _PLAIN[objtype]
        found = []
        for name in strings(nodes):
            row = catalog.one(cls, **{column: name})
            if row is None:
                word = KINDS[cls.RELID].word
                raise PgError(code, f'{word} "{name}" does not exist')
            found.append(ObjectAddress(cls.RELID, row.oid, 0))
        return found
    from pgemu.commands.get_object_address import existing_object

    wrapped = [{"TypeName": {"names": n["List"]["items"], "typemod": -1}}
               if objtype in ("OBJECT_TYPE", "OBJECT_DOMAIN") and "List" in n else n
               for n in nodes]  # fmt: skip
    return [existing_object(catalog, objtype, n) for n in wrapped]


def _grant_on(session: Any, stmt: dict[str, Any], kind: str, address: ObjectAddress) -> None:
    catalog = session.catalog
    entry = KINDS[address.classid]
    row = catalog.one(entry.cls, oid=address.objid)
    name = getattr(row, entry.name)
    if kind == "L":
        name = f"large object {name}"  # messages say it twice, as PostgreSQL's do
    if entry.cls is r.PgClass:
        if row.relkind in "iI":
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is an index')
        if row.relkind == "c":
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is a composite type')
        if kind == "s" and row.relkind != "S":
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is not a sequence')
        if kind == "r" and row.relkind == "S":
            kind = "s"
    rights, columns = privileges_of(kind, stmt)
    owner = getattr(row, entry.owner)
    texts = getattr(row, entry.acl)
    old = a.acldefault(kind, owner) if texts is None else a.acl_from_texts(catalog, texts)
    what = _what(row, entry, kind)
    if rights:
        grantor, allowed = _select_grantor(session, old, rights, owner)
        allowed = _restrict(session, stmt, rights, allowed, what, name)
        new = apply_grant(session, old, stmt, allowed, grantor, owner)
        texts_new = a.acl_to_texts(catalog, new)
        catalog.update(entry.cls, {"oid": address.objid}, **{entry.acl: texts_new})
        _update_shdepend(session, address, old, new, owner)
    if entry.cls is r.PgClass and kind == "r" and not stmt.get("is_grant"):
        # a right taken from the table is taken from its columns too (expand_all_col_privileges)
        bits = rights & a.ACL_ALL_RIGHTS_COLUMN
        held = [t.attname for t in catalog.relation(address.objid).attrs if t.attacl]
        if bits and held:
            columns = [*columns, (bits, held)]
    for bits, names in columns:
        _grant_on_columns(session, stmt, address, row, old, bits, names)


def _what(row: Any, entry: Any, kind: str) -> str:
    from pgemu.commands.permissions import relkind_word

    if entry.cls is r.PgClass:
        return relkind_word(row.relkind)
    return str(entry.word)


def _select_grantor(session: Any, acl: Any, rights: int, owner: int) -> tuple[int, int]:
    """select_best_grantor: the owner for those who act for it, else who holds the options."""
    catalog = session.catalog
    me = session.ctx.current_user_oid
    if has_privs_of_role(catalog, me, owner):
        return owner, rights
    held = a.aclmask(catalog, acl, me, owner, rights << 16) >> 16
    return me, held & rights


def _restrict(
    session: Any, stmt: dict[str, Any], wanted: int, allowed: int, what: str, name: str
) -> int:
    """restrict_and_check_grant: 42501 or warnings about what cannot be granted."""
    is_grant = bool(stmt.get("is_grant"))
    if not allowed:
        if not superuser(session.catalog):
            raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for {what} {name}")
        return wanted
    if is_grant and stmt.get("privileges") and allowed != wanted:
        session.notice("WARNING", "01007", f'not all privileges were granted for "{name}"')
    elif not is_grant and stmt.get("privileges") and allowed != wanted:
        session.notice("WARNING", "01006", f'not all privileges could be revoked for "{name}"')
    return allowed


def _grant_on_columns(
    session: Any,
    stmt: dict[str, Any],
    address: ObjectAddress,
    row: Any,
    table_acl: Any,
    rights: int,
    names: list[str],
) -> None:
    catalog = session.catalog
    relation = catalog.relation(address.objid)
    for name in names:
        att = relation.attrs_by_name.get(name)
        if att is None:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" of relation "{relation.name}" does not exist',
            )
        old = a.acl_from_texts(catalog, att.attacl) if att.attacl else []
        grantor, allowed = _select_grantor(
            session, merge_acls(table_acl, old), rights, row.relowner
        )
        allowed = _restrict(session, stmt, rights, allowed, "column", name)
        new = apply_grant(session, old, stmt, allowed, grantor, row.relowner)
        where = {"attrelid": relation.oid, "attnum": att.attnum}
        catalog.update(r.PgAttribute, where, attacl=a.acl_to_texts(catalog, new) or None)
        target = ObjectAddress(r.PgClass.RELID, relation.oid, att.attnum)
        _update_shdepend(session, target, old, new, row.relowner)


def _update_shdepend(session: Any, address: ObjectAddress, old: Any, new: Any, owner: int) -> None:
    """updateAclDependencies: roles named in an ACL cannot be dropped."""
    catalog = session.catalog
    before = {i.grantee for i in old} - {0, owner}
    after = {i.grantee for i in new} - {0, owner}
    dbid = (
        0
        if address.classid in (r.PgDatabase.RELID, r.PgTablespace.RELID)
        else (session.ctx.database_oid)
    )
    key = {
        "dbid": dbid, "classid": address.classid, "objid": address.objid,
        "objsubid": address.objsubid, "refclassid": r.PgAuthid.RELID,
    }  # fmt: skip
    for role in before - after:
        catalog.delete(r.PgShdepend, **key, refobjid=role, deptype="a")
    for role in after:
        if role >= 12000 and catalog.one(r.PgShdepend, **key, refobjid=role, deptype="a") is None:
            catalog.insert(r.PgShdepend(**key, refobjid=role, deptype="a"))
