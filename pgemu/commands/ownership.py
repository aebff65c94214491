"""Who owns an object of any catalog, and changing that (pg_*_ownercheck and
AlterObjectOwner_internal): one table row per catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import superuser
from pgemu.commands.define import list_items, strings
from pgemu.commands.permissions import aclcheck_error_not_owner, owns, relkind_word
from pgemu.errors import INSUFFICIENT_PRIVILEGE, PgError


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A catalog whose objects have names and owners; empty column names: it has no such thing.
    acl_kind: acldefault's letter, acl: the ACL column."""

    cls: type[Any]
    word: str
    name: str
    namespace: str = ""
    owner: str = ""
    acl: str = ""
    acl_kind: str = ""


KINDS: dict[int, ObjectKind] = {
    k.cls.RELID: k
    for k in (
        ObjectKind(r.PgClass, "relation", "relname", "relnamespace", "relowner", "relacl", "r"),
        ObjectKind(r.PgProc, "function", "proname", "pronamespace", "proowner", "proacl", "f"),
        ObjectKind(r.PgType, "type", "typname", "typnamespace", "typowner", "typacl", "T"),
        ObjectKind(r.PgNamespace, "schema", "nspname", "", "nspowner", "nspacl", "n"),
        ObjectKind(r.PgDatabase, "database", "datname", "", "datdba", "datacl", "d"),
        ObjectKind(r.PgLanguage, "language", "lanname", "", "lanowner", "lanacl", "l"),
        ObjectKind(r.PgCollation, "collation", "collname", "collnamespace", "collowner"),
        ObjectKind(r.PgConversion, "conversion", "conname", "connamespace", "conowner"),
        ObjectKind(r.PgOperator, "operator", "oprname", "oprnamespace", "oprowner"),
        ObjectKind(r.PgOpclass, "operator class", "opcname", "opcnamespace", "opcowner"),
        ObjectKind(r.PgOpfamily, "operator family", "opfname", "opfnamespace", "opfowner"),
        ObjectKind(r.PgStatisticExt, "statistics object", "stxname", "stxnamespace", "stxowner"),
        ObjectKind(
            r.PgTsConfig, "text search configuration", "cfgname", "cfgnamespace", "cfgowner"
        ),
        ObjectKind(r.PgTsDict, "text search dictionary", "dictname", "dictnamespace", "dictowner"),
        ObjectKind(r.PgTsParser, "text search parser", "prsname", "prsnamespace"),
        ObjectKind(r.PgTsTemplate, "text search template", "tmplname", "tmplnamespace"),
        ObjectKind(r.PgExtension, "extension", "extname", "", "extowner"),
        ObjectKind(
            r.PgForeignDataWrapper, "foreign-data wrapper", "fdwname", "", "fdwowner", "fdwacl", "F"
        ),
        ObjectKind(r.PgForeignServer, "foreign server", "srvname", "", "srvowner", "srvacl", "S"),
        ObjectKind(r.PgEventTrigger, "event trigger", "evtname", "", "evtowner"),
        ObjectKind(r.PgPublication, "publication", "pubname", "", "pubowner"),
        ObjectKind(r.PgSubscription, "subscription", "subname", "", "subowner"),
        ObjectKind(r.PgTablespace, "tablespace", "spcname", "", "spcowner", "spcacl", "t"),
        ObjectKind(r.PgAm, "access method", "amname"),
    )
}
# large objects go by the OID of pg_largeobject
KINDS[r.PgLargeobject.RELID] = ObjectKind(
    r.PgLargeobjectMetadata, "large object", "oid", "", "lomowner", "lomacl", "L"
)
# objects that belong to a relation: the column that says which
_OF_RELATION: dict[int, tuple[type[Any], str]] = {
    cls.RELID: (cls, column)
    for cls, column in (
        (r.PgTrigger, "tgrelid"),
        (r.PgRewrite, "ev_class"),
        (r.PgPolicy, "polrelid"),
        (r.PgConstraint, "conrelid"),
        (r.PgAttrdef, "adrelid"),
    )
}


def object_row(catalog: Any, address: ObjectAddress) -> tuple[ObjectKind, Any]:
    """The kind and the row of an object."""
    kind = KINDS[address.classid]
    return kind, catalog.one(kind.cls, oid=address.objid)


def _check_types_ownership(session: Any, address: ObjectAddress) -> None:
    """Casts and transforms have no owner: those of their types may change them."""
    catalog = session.catalog
    if address.classid == r.PgCast.RELID:
        cast = catalog.get(r.PgCast, oid=address.objid)
        types = [cast.castsource, cast.casttarget]
    else:
        types = [catalog.get(r.PgTransform, oid=address.objid).trftype]
    if not any(owns(session, catalog.get(r.PgType, oid=t).typowner) for t in types):
        names = " or ".join(f"type {catalog.type_name(t)}" for t in types)
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of {names}")


_CALLABLE_WORDS = {
    "OBJECT_PROCEDURE": "procedure", "OBJECT_ROUTINE": "routine", "OBJECT_AGGREGATE": "aggregate",
}  # fmt: skip


def check_named_object_ownership(
    session: Any, address: ObjectAddress, objtype: str, node: Any
) -> None:
    """The same for a statement that names the object: the error has the name as it was written."""
    if "ObjectWithArgs" in node:
        names = strings(node["ObjectWithArgs"]["objname"])
    elif (
        "List" in node
        and address.classid not in _OF_RELATION
        and (
            address.classid not in (r.PgClass.RELID, r.PgType.RELID, r.PgTransform.RELID)
            and address.classid != r.PgCast.RELID
        )
    ):
        names = strings(list_items(node))
    else:
        names = []
    check_object_ownership(
        session, address, shown=".".join(names), word=_CALLABLE_WORDS.get(objtype, "")
    )


def _check_role_ownership(session: Any, role: int) -> None:
    """Roles are owned by those who may create roles, superusers by superusers."""
    catalog = session.catalog
    if superuser(catalog):
        return
    if catalog.get(r.PgAuthid, oid=role).rolsuper:
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser")
    if not catalog.get(r.PgAuthid, oid=session.ctx.current_user_oid).rolcreaterole:
        raise PgError(INSUFFICIENT_PRIVILEGE, "must have CREATEROLE privilege")


def check_object_ownership(
    session: Any, address: ObjectAddress, *, shown: str = "", word: str = ""
) -> None:
    """check_object_ownership: 42501 unless the current user may alter the object.  shown, word:
    what the error calls it, if not by its bare name."""
    catalog = session.catalog
    relation = _OF_RELATION.get(address.classid)
    part = relation is not None or bool(address.objsubid)
    if relation is not None:
        cls, column = relation
        row = catalog.one(cls, oid=address.objid)
        relid = getattr(row, column)
        if relid:
            address = ObjectAddress(r.PgClass.RELID, relid, 0)
        else:
            address = ObjectAddress(r.PgType.RELID, row.contypid, 0)
    if address.classid in (r.PgCast.RELID, r.PgTransform.RELID):
        _check_types_ownership(session, address)
        return
    if address.classid == r.PgAuthid.RELID:
        _check_role_ownership(session, address.objid)
        return
    if address.classid not in KINDS:
        return
    kind, row = object_row(catalog, address)
    if not kind.owner:
        from pgemu.commands.permissions import require_superuser

        require_superuser(session, "must be superuser")
        return
    word = relkind_word(row.relkind) if kind.cls is r.PgClass else word or kind.word
    if kind.namespace and kind.cls is not r.PgClass:
        namespace = catalog.one(r.PgNamespace, oid=getattr(row, kind.namespace))
        if namespace is not None and owns(session, namespace.nspowner):
            return
    if not owns(session, getattr(row, kind.owner)):
        name = shown or getattr(row, kind.name)
        if kind.cls is r.PgType:
            name = catalog.type_name(row.oid)
        aclcheck_error_not_owner("relation" if part and kind.cls is r.PgClass else word, name)
