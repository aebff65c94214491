"""Unambiguous names of objects (PostgreSQL's getObjectIdentity, pg_identify_object)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog import rows as r
from pgemu.catalog.format_type import (
    format_operator,
    format_procedure,
    format_type_be_qualified,
)
from pgemu.catalog.keywords import quote_identifier, quote_qualified_identifier
from pgemu.catalog.objectaddress import ObjectAddress, get_object_type_description
from pgemu.catalog.roles import get_user_name_from_id

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

# Catalog -> (name column, namespace column or "", do name and namespace identify it?)
PROPERTIES: dict[type[Any], tuple[str, str, bool]] = {
    r.PgAm: ("amname", "", True),
    r.PgClass: ("relname", "relnamespace", True),
    r.PgCollation: ("collname", "collnamespace", True),
    r.PgConstraint: ("conname", "connamespace", False),
    r.PgConversion: ("conname", "connamespace", True),
    r.PgDatabase: ("datname", "", True),
    r.PgEventTrigger: ("evtname", "", True),
    r.PgExtension: ("extname", "", True),
    r.PgForeignDataWrapper: ("fdwname", "", True),
    r.PgForeignServer: ("srvname", "", True),
    r.PgLanguage: ("lanname", "", True),
    r.PgNamespace: ("nspname", "", True),
    r.PgOpclass: ("opcname", "opcnamespace", True),
    r.PgOperator: ("oprname", "oprnamespace", False),
    r.PgOpfamily: ("opfname", "opfnamespace", True),
    r.PgProc: ("proname", "pronamespace", False),
    r.PgAuthid: ("rolname", "", True),
    r.PgStatisticExt: ("stxname", "stxnamespace", True),
    r.PgTablespace: ("spcname", "", True),
    r.PgTsConfig: ("cfgname", "cfgnamespace", True),
    r.PgTsDict: ("dictname", "dictnamespace", True),
    r.PgTsParser: ("prsname", "prsnamespace", True),
    r.PgTsTemplate: ("tmplname", "tmplnamespace", True),
    r.PgType: ("typname", "typnamespace", True),
    r.PgPublication: ("pubname", "", True),
    r.PgSubscription: ("subname", "", True),
}


_DEFAULT_ACL_WORDS = {
    "r": "tables", "S": "sequences", "f": "functions", "T": "types", "n": "schemas",
}  # fmt: skip


def _schema(catalog: Catalog, oid: int) -> str | None:
    """get_namespace_name_or_temp."""
    if oid and oid == catalog.my_temp_namespace:
        return "pg_temp"
    row = catalog.one(r.PgNamespace, oid=oid)
    return row.nspname if row is not None else None


def _relation(catalog: Catalog, oid: int) -> str:
    row = catalog.get(r.PgClass, oid=oid)
    return quote_qualified_identifier(_schema(catalog, row.relnamespace), row.relname)


def _opfamily(catalog: Catalog, oid: int) -> str:
    row = catalog.get(r.PgOpfamily, oid=oid)
    am = catalog.get(r.PgAm, oid=row.opfmethod).amname
    name = quote_qualified_identifier(_schema(catalog, row.opfnamespace), row.opfname)
    return f"{name} USING {quote_identifier(am)}"


def _on_relation(catalog: Catalog, name: str, relid: int) -> str:
    return f"{quote_identifier(name)} on {_relation(catalog, relid)}"


def _special_identity(catalog: Catalog, row: Any) -> str | None:
    """Identities that are more than a name."""
    types = format_type_be_qualified
    match row:
        case r.PgProc():
            return format_procedure(catalog, row.oid, force_qualify=True)
        case r.PgType():
            return types(catalog, row.oid)
        case r.PgCast():
            return f"({types(catalog, row.castsource)} AS {types(catalog, row.casttarget)})"
        case r.PgConstraint():
            if row.conrelid:
                return _on_relation(catalog, row.conname, row.conrelid)
            return f"{quote_identifier(row.conname)} on {types(catalog, row.contypid)}"
        case r.PgAttrdef():
            column = catalog.get(r.PgAttribute, attrelid=row.adrelid, attnum=row.adnum)
            return f"for {_relation(catalog, row.adrelid)}.{quote_identifier(column.attname)}"
        case r.PgOperator():
            return format_operator(catalog, row.oid, force_qualify=True)
        case r.PgOpclass():
            am = catalog.get(r.PgAm, oid=row.opcmethod).amname
            schema = _schema(catalog, row.opcnamespace)
            name = quote_qualified_identifier(schema, row.opcname)
            return f"{name} USING {quote_identifier(am)}"
        case r.PgOpfamily():
            return _opfamily(catalog, row.oid)
        case r.PgAmop():
            return (
                f"operator {row.amopstrategy} ({types(catalog, row.amoplefttype)},"
                f" {types(catalog, row.amoprighttype)}) of {_opfamily(catalog, row.amopfamily)}"
            )
        case r.PgAmproc():
            return (
                f"function {row.amprocnum} ({types(catalog, row.amproclefttype)},"
                f" {types(catalog, row.amprocrighttype)}) of"
                f" {_opfamily(catalog, row.amprocfamily)}"
            )
        case r.PgRewrite():
            return _on_relation(catalog, row.rulename, row.ev_class)
        case r.PgTrigger():
            return _on_relation(catalog, row.tgname, row.tgrelid)
        case r.PgPolicy():
            return _on_relation(catalog, row.polname, row.polrelid)
        case r.PgUserMapping():
            server = catalog.get(r.PgForeignServer, oid=row.umserver).srvname
            user = get_user_name_from_id(catalog, row.umuser) if row.umuser else "public"
            return f"{quote_identifier(user or '')} on server {server}"
        case r.PgTransform():
            language = catalog.get(r.PgLanguage, oid=row.trflang).lanname
            return f"for {types(catalog, row.trftype)} on language {language}"
    return _membership_identity(catalog, row)


def _membership_identity(catalog: Catalog, row: Any) -> str | None:
    """What is in publications, and default privileges."""
    match row:
        case r.PgPublicationRel():
            publication = catalog.get(r.PgPublication, oid=row.prpubid).pubname
            return f"{_relation(catalog, row.prrelid)} in publication {publication}"
        case r.PgPublicationNamespace():
            publication = catalog.get(r.PgPublication, oid=row.pnpubid).pubname
            return f"{_schema(catalog, row.pnnspid)} in publication {publication}"
        case r.PgDefaultAcl():
            role = get_user_name_from_id(catalog, row.defaclrole) or ""
            text = f"for role {quote_identifier(role)}"
            if row.defaclnamespace:
                text += (
                    f" in schema {quote_identifier(_schema(catalog, row.defaclnamespace) or '')}"
                )
            return f"{text} on {_DEFAULT_ACL_WORDS[row.defaclobjtype]}"
    return None


def get_object_identity(catalog: Catalog, address: ObjectAddress) -> str:
    """Schema-qualified and quoted, as event triggers and labels show it."""
    if address.classid in (r.PgLargeobject.RELID, r.PgLargeobjectMetadata.RELID):
        return str(address.objid)
    cls = r.CATALOG_BY_RELID[address.classid]
    row: Any = catalog.get(cls, oid=address.objid)
    special = _special_identity(catalog, row)
    if special is not None:
        return special
    name_column, namespace_column, _ = PROPERTIES[cls]
    schema = _schema(catalog, getattr(row, namespace_column)) if namespace_column else None
    identity = quote_qualified_identifier(schema, getattr(row, name_column))
    if cls is r.PgClass and address.objsubid:
        att = catalog.get(r.PgAttribute, attrelid=address.objid, attnum=address.objsubid)
        identity += f".{quote_identifier(att.attname)}"
    return identity


def identify_object(
    catalog: Catalog, address: ObjectAddress
) -> tuple[str, str | None, str | None, str]:
    """(type, schema, name, identity): name only where it identifies the object."""
    schema = name = None
    cls = r.CATALOG_BY_RELID[address.classid]
    properties = PROPERTIES.get(cls)
    if properties is not None:
        row: Any = catalog.get(cls, oid=address.objid)
        name_column, namespace_column, unique = properties
        if namespace_column:
            found = catalog.one(r.PgNamespace, oid=getattr(row, namespace_column))
            schema = quote_identifier(found.nspname) if found is not None else None
        if unique:
            name = quote_identifier(getattr(row, name_column))
    return (
        get_object_type_description(catalog, address),
        schema,
        name,
        get_object_identity(catalog, address),
    )


def _relation_names(catalog: Catalog, oid: int) -> list[str]:
    row = catalog.get(r.PgClass, oid=oid)
    return [_schema(catalog, row.relnamespace) or "", row.relname]


def _opfamily_names(catalog: Catalog, oid: int) -> list[str]:
    row = catalog.get(r.PgOpfamily, oid=oid)
    am = catalog.get(r.PgAm, oid=row.opfmethod).amname
    return [am, _schema(catalog, row.opfnamespace) or "", row.opfname]


def _special_address(catalog: Catalog, row: Any) -> tuple[list[str], list[str]] | None:
    """(names, arguments) of objects whose address is more than schema and name."""
    types = format_type_be_qualified
    match row:
        case r.PgAmop():
            names = [*_opfamily_names(catalog, row.amopfamily), str(row.amopstrategy)]
            return names, [types(catalog, row.amoplefttype), types(catalog, row.amoprighttype)]
        case r.PgAmproc():
            names = [*_opfamily_names(catalog, row.amprocfamily), str(row.amprocnum)]
            lefttype, righttype = row.amproclefttype, row.amprocrighttype
            return names, [types(catalog, lefttype), types(catalog, righttype)]
        case r.PgCast():
            return [types(catalog, row.castsource)], [types(catalog, row.casttarget)]
        case r.PgConstraint():
            if row.conrelid:
                return [*_relation_names(catalog, row.conrelid), row.conname], []
            return [types(catalog, row.contypid)], [row.conname]
        case r.PgAttrdef():
            column = catalog.get(r.PgAttribute, attrelid=row.adrelid, attnum=row.adnum)
            return [*_relation_names(catalog, row.adrelid), column.attname], []
        case r.PgOpclass():
            am = catalog.get(r.PgAm, oid=row.opcmethod).amname
            return [am, _schema(catalog, row.opcnamespace) or "", row.opcname], []
        case r.PgOpfamily():
            return _opfamily_names(catalog, row.oid), []
        case r.PgRewrite():
            return [*_relation_names(catalog, row.ev_class), row.rulename], []
        case r.PgTrigger():
            return [*_relation_names(catalog, row.tgrelid), row.tgname], []
        case r.PgPolicy():
            return [*_relation_names(catalog, row.polrelid), row.polname], []
        case r.PgPublicationRel():
            publication = catalog.get(r.PgPublication, oid=row.prpubid).pubname
            return _relation_names(catalog, row.prrelid), [publication]
        case r.PgPublicationNamespace():
            publication = catalog.get(r.PgPublication, oid=row.pnpubid).pubname
            return [_schema(catalog, row.pnnspid) or ""], [publication]
        case r.PgDefaultAcl():
            names = [get_user_name_from_id(catalog, row.defaclrole) or ""]
            if row.defaclnamespace:
                names.append(_schema(catalog, row.defaclnamespace) or "")
            return names, [row.defaclobjtype]
        case r.PgUserMapping():
            server = catalog.get(r.PgForeignServer, oid=row.umserver).srvname
            user = get_user_name_from_id(catalog, row.umuser) if row.umuser else "public"
            return [user or ""], [server]
        case r.PgTransform():
            language = catalog.get(r.PgLanguage, oid=row.trflang).lanname
            return [types(catalog, row.trftype)], [language]
    return None


def identify_object_as_address(
    catalog: Catalog, address: ObjectAddress
) -> tuple[str, list[str], list[str]]:
    """(type, names, arguments) that pg_get_object_address would understand."""
    word = get_object_type_description(catalog, address)
    if address.classid in (r.PgLargeobject.RELID, r.PgLargeobjectMetadata.RELID):
        return word, [str(address.objid)], []
    cls = r.CATALOG_BY_RELID[address.classid]
    row: Any = catalog.get(cls, oid=address.objid)
    special = _special_address(catalog, row)
    if special is not None:
        return word, *special
    properties = PROPERTIES.get(cls)
    if properties is None:
        return word, [get_object_identity(catalog, address)], []
    if cls is r.PgType:
        return word, [format_type_be_qualified(catalog, row.oid)], []
    name_column, namespace_column, _ = properties
    names = [getattr(row, name_column)]
    schema = _schema(catalog, getattr(row, namespace_column)) if namespace_column else None
    if schema is not None:
        names.insert(0, schema)
    args: list[str] = []
    if cls is r.PgProc:
        args = [format_type_be_qualified(catalog, t) for t in row.proargtypes]
    elif cls is r.PgOperator:
        operands = (row.oprleft, row.oprright)
        args = [format_type_be_qualified(catalog, t) for t in operands if t]
    elif cls is r.PgClass and address.objsubid:
        att = catalog.get(r.PgAttribute, attrelid=address.objid, attnum=address.objsubid)
        names.append(att.attname)
    return word, names, args
