"""GRANT and REVOKE on objects (PostgreSQL's aclchk.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import acl as a
from pgemu.catalog import rows as r
from pgemu.catalog.acl_change import aclmembers, aclupdate, select_best_grantor
from pgemu.catalog.extension_data import BOOTSTRAP_OWNER
from pgemu.catalog.lsyscache import ARRAY_SUBSCRIPT_HANDLER
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_shdepend import update_acl_dependencies
from pgemu.commands.define import strings
from pgemu.commands.ownership import KINDS
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_spec import get_rolespec_oid, grantee_oid
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_GRANT_OPERATION,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.parser.parse_rte import SYSTEM_COLUMNS

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
    "p": (a.ACL_ALL_RIGHTS_PARAMETER_ACL, "parameter"),
}  # fmt: skip
_KIND_OF = {
    "OBJECT_TABLE": "r", "OBJECT_SEQUENCE": "s", "OBJECT_DATABASE": "d", "OBJECT_FUNCTION": "f",
    "OBJECT_PROCEDURE": "f", "OBJECT_ROUTINE": "f", "OBJECT_LANGUAGE": "l", "OBJECT_SCHEMA": "n",
    "OBJECT_TYPE": "T", "OBJECT_DOMAIN": "T", "OBJECT_TABLESPACE": "t", "OBJECT_FDW": "F",
    "OBJECT_FOREIGN_SERVER": "S", "OBJECT_LARGEOBJECT": "L", "OBJECT_PARAMETER_ACL": "p",
}  # fmt: skip
_PLAIN: dict[str, tuple[Any, str, str]] = {
    "OBJECT_DATABASE": (r.PgDatabase, "datname", "3D000"),
    "OBJECT_SCHEMA": (r.PgNamespace, "nspname", "3F000"),
    "OBJECT_LANGUAGE": (r.PgLanguage, "lanname", "42704"),
    "OBJECT_TABLESPACE": (r.PgTablespace, "spcname", "42704"),
    "OBJECT_FDW": (r.PgForeignDataWrapper, "fdwname", "42704"),
    "OBJECT_FOREIGN_SERVER": (r.PgForeignServer, "srvname", "42704"),
}

_CLASS_OF: dict[str, Any] = {
    "OBJECT_TABLE": r.PgClass, "OBJECT_FUNCTION": r.PgProc, "OBJECT_TYPE": r.PgType,
    "OBJECT_LARGEOBJECT": r.PgLargeobjectMetadata, "OBJECT_PARAMETER_ACL": r.PgParameterAcl,
    **{objtype: row[0] for objtype, row in _PLAIN.items()},
}  # fmt: skip


def privileges_of(
    kind: str, stmt: dict[str, Any], *, default: bool = False
) -> tuple[int, list[tuple[int, list[str]]]]:
    """(rights on the object, [(rights, columns)]); an empty privilege list means ALL.  default:
    of ALTER DEFAULT PRIVILEGES, which has neither columns nor the rights of sequences on tables."""
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
            if default:
                raise PgError(
                    INVALID_GRANT_OPERATION, "default privileges cannot be set for columns"
                )
            if kind != "r":
                raise PgError(
                    INVALID_GRANT_OPERATION, "column privileges are only valid for relations"
                )
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
        of_sequence = kind == "r" and not default and bit & a.ACL_ALL_RIGHTS_SEQUENCE
        if bit & ~everything and not of_sequence:
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


def apply_grant(
    session: Any, acl: Any, stmt: dict[str, Any], rights: int, grantor: int, owner: int
) -> Any:
    """merge_acl_with_grant.  WITH GRANT OPTION gives the right too; REVOKE takes the grant option
    with the right, REVOKE GRANT OPTION FOR only the option."""
    result = list(acl)
    is_grant = bool(stmt.get("is_grant"))
    option = bool(stmt.get("grant_option"))
    cascade = stmt.get("behavior") == "DROP_CASCADE"
    for spec in stmt["grantees"]:
        grantee = grantee_oid(session, spec)
        if is_grant and option and grantee == 0:
            raise PgError(INVALID_GRANT_OPERATION, "grant options can only be granted to roles")
        change = a.AclItem(
            grantee,
            grantor,
            rights if is_grant or not option else 0,
            rights if option or not is_grant else 0,
        )
        mode = "grant" if is_grant else "revoke"
        result = aclupdate(session.catalog, result, change, mode, owner, cascade)
    return result


def grant(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """GRANT / REVOKE on objects of every kind."""
    objtype = stmt["objtype"]
    if objtype not in _KIND_OF:
        raise PgError(FEATURE_NOT_SUPPORTED, f"GRANT on {objtype} is not supported")
    if "grantor" in stmt:
        grantor = get_rolespec_oid(session, {"RoleSpec": stmt["grantor"]})
        if grantor != session.ctx.current_user_oid:
            raise PgError(FEATURE_NOT_SUPPORTED, "grantor must be current user")
    kind = _KIND_OF[objtype]
    if kind == "p":
        grant_on_parameters(session, stmt)
        return CommandResult("GRANT" if stmt.get("is_grant") else "REVOKE")
    if objtype != "OBJECT_TABLE":
        privileges_of(kind, stmt)  # bad ones are refused before the objects are looked up
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
                word = KINDS[cls.RELID].word.removeprefix("foreign ")
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
    if kind == "l" and not row.lanpltrusted:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'language "{name}" is not trusted',
            detail="GRANT and REVOKE are not allowed on untrusted languages, because only "
            "superusers can use untrusted languages.",
        )
    if kind == "L":
        name = f"large object {name}"  # messages say it twice, as PostgreSQL's do
    if entry.cls is r.PgType and row.typelem and row.typsubscript == ARRAY_SUBSCRIPT_HANDLER:
        raise PgError(
            INVALID_GRANT_OPERATION,
            "cannot set privileges of array types",
            hint="Set the privileges of the element type instead.",
        )
    if entry.cls is r.PgClass:
        if row.relkind in "iI":
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is an index')
        if row.relkind == "c":
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is a composite type')
        if kind == "s" and row.relkind != "S":
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is not a sequence')
        if kind == "r" and row.relkind == "S":
            kind = "s"
    rights, columns = privileges_of("r" if stmt["objtype"] == "OBJECT_TABLE" else kind, stmt)
    if entry.cls is r.PgClass:
        given = stmt.get("privileges")
        rights = _relation_rights(session, kind, name, rights) if given else _ALL[kind][0]
    owner = getattr(row, entry.owner)
    texts = getattr(row, entry.acl)
    old = a.acldefault(kind, owner) if texts is None else a.acl_from_texts(catalog, texts)
    what = _what(row, entry, kind)
    if rights:
        grantor, allowed = _select_grantor(session, old, rights, owner)
        if not allowed and not a.aclmask(catalog, old, grantor, owner, _with_options(kind)):
            raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for {what} {name}")
        allowed = _restrict(session, stmt, rights, allowed, f'"{name}"')
        new = apply_grant(session, old, stmt, allowed, grantor, owner)
        texts_new = a.acl_to_texts(catalog, new)
        catalog.update(entry.cls, {"oid": address.objid}, **{entry.acl: texts_new})
        update_acl_shdepend(session, address, old, new, owner)
    if entry.cls is r.PgClass:
        _grant_on_columns(session, stmt, row, old, columns, rights if kind == "r" else 0)


def _relation_rights(session: Any, kind: str, name: str, rights: int) -> int:
    """GRANT ON TABLE takes the rights of sequences too (ExecGrant_Relation)."""
    if kind == "s" and rights & ~a.ACL_ALL_RIGHTS_SEQUENCE:
        session.notice(
            "WARNING",
            INVALID_GRANT_OPERATION,
            f'sequence "{name}" only supports USAGE, SELECT, and UPDATE privileges',
        )
    elif kind == "r" and rights & ~a.ACL_ALL_RIGHTS_RELATION:
        raise PgError(INVALID_GRANT_OPERATION, "invalid privilege type USAGE for table")
    return rights & _ALL[kind][0]


def _what(row: Any, entry: Any, kind: str) -> str:
    from pgemu.commands.permissions import relkind_word

    if entry.cls is r.PgClass:
        return relkind_word(row.relkind)
    return str(entry.word)


def _with_options(kind: str) -> int:
    """All rights of a kind of object, and the grant options of them."""
    everything = _ALL[kind][0]
    return everything | everything << 16


def _select_grantor(session: Any, acl: Any, rights: int, owner: int) -> tuple[int, int]:
    """(who grants, which of the rights they can grant)."""
    me = session.ctx.current_user_oid
    return select_best_grantor(session.catalog, me, rights, acl, owner)


def _restrict(
    session: Any, stmt: dict[str, Any], wanted: int, allowed: int, where: str, everything: int = 0
) -> int:
    """restrict_and_check_grant: warnings about what cannot be granted.  everything: the rights
    that are ALL of them here."""
    if stmt.get("is_grant"):
        code, done = "01007", "were granted"
    else:
        code, done = "01006", "could be revoked"
    if not allowed:
        session.notice("WARNING", code, f"no privileges {done} for {where}")
    elif stmt.get("privileges") and allowed != wanted and wanted != everything:
        session.notice("WARNING", code, f"not all privileges {done} for {where}")
    return allowed


def _rights_on_columns(
    session: Any, stmt: dict[str, Any], relation: Any, given: Any, table_rights: int
) -> dict[int, int]:
    """expand_col_privileges: rights by column number, in the order of those.  A right that is
    taken from the table is taken from all its columns too."""
    found: dict[int, int] = {}
    for bits, names in given:
        for name in names:
            att = relation.attrs_by_name.get(name)
            number = att.attnum if att is not None else SYSTEM_COLUMNS.get(name, (0, 0))[0]
            if not number:
                raise PgError(
                    UNDEFINED_COLUMN,
                    f'column "{name}" of relation "{relation.name}" does not exist',
                )
            found[number] = found.get(number, 0) | bits
    bits = table_rights & a.ACL_ALL_RIGHTS_COLUMN
    if bits and not stmt.get("is_grant"):
        numbers = [att.attnum for att in relation.attrs if not att.attisdropped]
        if relation.relkind != "v":
            numbers += [number for number, _type in SYSTEM_COLUMNS.values()]
        for number in numbers:
            found[number] = found.get(number, 0) | bits
    return dict(sorted(found.items()))


def _grant_on_columns(
    session: Any, stmt: dict[str, Any], row: Any, table_acl: Any, given: Any, table_rights: int
) -> None:
    """ExecGrant_Attribute for each column that the statement is about."""
    catalog = session.catalog
    relation = catalog.relation(row.oid)
    wanted = _rights_on_columns(session, stmt, relation, given, table_rights)
    for number, rights in wanted.items():
        key = {"attrelid": relation.oid, "attnum": number}
        att = catalog.get(r.PgAttribute, **key)
        old = a.acl_from_texts(catalog, att.attacl) if att.attacl else []
        held = merge_acls(table_acl, old)
        grantor, allowed = _select_grantor(session, held, rights, row.relowner)
        where = f'column "{att.attname}" of relation "{relation.name}"'
        if not allowed and not a.aclmask(catalog, held, grantor, row.relowner, _with_options("r")):
            raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for {where}")
        every = a.ACL_ALL_RIGHTS_COLUMN
        allowed = _restrict(session, stmt, rights, allowed, where, every)
        new = apply_grant(session, old, stmt, allowed, grantor, row.relowner)
        if new == old:
            continue
        catalog.update(r.PgAttribute, key, attacl=a.acl_to_texts(catalog, new) or None)
        target = ObjectAddress(r.PgClass.RELID, relation.oid, number)
        update_acl_shdepend(session, target, old, new, row.relowner)


def grant_on_parameters(session: Any, stmt: dict[str, Any]) -> None:
    """GRANT SET, ALTER SYSTEM ON PARAMETER (ExecGrant_Parameter): the bootstrap superuser owns
    all parameters, and those with an ACL of its own have a row."""
    catalog = session.catalog
    rights, _columns = privileges_of("p", stmt)
    for node in stmt.get("objects", ()):
        name = node["String"]["sval"].lower()
        row = catalog.one(r.PgParameterAcl, parname=name)
        if row is None and not stmt.get("is_grant"):
            continue
        if row is None:
            session.guc.check_parameter_acl_name(name)
        default = a.acldefault("p", BOOTSTRAP_OWNER)
        old = default if row is None else a.acl_from_texts(catalog, row.paracl)
        grantor, allowed = _select_grantor(session, old, rights, BOOTSTRAP_OWNER)
        if not allowed and not a.aclmask(
            catalog, old, grantor, BOOTSTRAP_OWNER, _with_options("p")
        ):
            raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for parameter {name}")
        allowed = _restrict(session, stmt, rights, allowed, f'"{name}"')
        new = apply_grant(session, old, stmt, allowed, grantor, BOOTSTRAP_OWNER)
        oid = catalog.new_oid() if row is None else row.oid
        texts = a.acl_to_texts(catalog, new)
        if sorted(texts) == sorted(a.acl_to_texts(catalog, default)):
            catalog.delete(r.PgParameterAcl, oid=oid)
        elif row is None:
            catalog.insert(r.PgParameterAcl(oid, name, texts))
        else:
            catalog.update(r.PgParameterAcl, {"oid": oid}, paracl=texts)
        address = ObjectAddress(r.PgParameterAcl.RELID, oid, 0)
        update_acl_shdepend(session, address, old, new, BOOTSTRAP_OWNER)


def revoke_all(session: Any, address: ObjectAddress, role: str) -> None:
    """RemoveRoleFromObjectACL: REVOKE ALL ON the object FROM the role CASCADE."""
    objtype = next(t for t, cls in _CLASS_OF.items() if address.classid == cls.RELID)
    stmt = {
        "objtype": objtype,
        "grantees": [{"RoleSpec": {"roletype": "ROLESPEC_CSTRING", "rolename": role}}],
        "behavior": "DROP_CASCADE",
    }
    if objtype == "OBJECT_PARAMETER_ACL":
        name = session.catalog.get(r.PgParameterAcl, oid=address.objid).parname
        grant_on_parameters(session, stmt | {"objects": [{"String": {"sval": name}}]})
    else:
        _grant_on(session, stmt, _KIND_OF[objtype], address)


def update_acl_shdepend(
    session: Any, address: ObjectAddress, old: Any, new: Any, owner: int
) -> None:
    """Roles named in an ACL cannot be dropped."""
    members = aclmembers(old), aclmembers(new)
    update_acl_dependencies(session.catalog, *address, owner, *members)
