"""ObjectAddress and how objects are described in messages.

Counterpart of PostgreSQL's catalog/objectaddress.c: getObjectDescription and
getObjectTypeDescription.  Identities: object_identity.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pgemu.catalog import namespace_candidates as visible
from pgemu.catalog import rows as r
from pgemu.catalog.format_type import format_operator, format_procedure, format_type_extended
from pgemu.catalog.keywords import quote_qualified_identifier
from pgemu.catalog.roles import get_user_name_from_id
from pgemu.errors import INTERNAL_ERROR, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


class ObjectAddress(NamedTuple):
    """A catalog, an OID in it, and a column number where there is one."""

    classid: int
    objid: int
    objsubid: int = 0


RELKIND_WORDS = {
    "r": "table",
    "p": "table",
    "i": "index",
    "I": "index",
    "S": "sequence",
    "t": "toast table",
    "v": "view",
    "m": "materialized view",
    "c": "composite type",
    "f": "foreign table",
}


def _qualified(
    catalog: Catalog, shown: bool | None, namespace: int, name: str, *, force: bool = False
) -> str:
    schema = None
    if force or not shown:
        row = catalog.one(r.PgNamespace, oid=namespace)
        schema = row.nspname if row is not None else None
    return quote_qualified_identifier(schema, name)


def get_relation_description(catalog: Catalog, oid: int) -> str:
    """`table t`, `view s.v`, ..."""
    row = catalog.one(r.PgClass, oid=oid)
    if row is None:
        raise PgError(INTERNAL_ERROR, f"cache lookup failed for relation {oid}")
    name = _qualified(
        catalog, visible.relation_is_visible(catalog, oid), row.relnamespace, row.relname
    )
    return f"{RELKIND_WORDS.get(row.relkind, 'relation')} {name}"


def get_opfamily_description(catalog: Catalog, oid: int) -> str:
    """`operator family f for access method a`."""
    row = catalog.get(r.PgOpfamily, oid=oid)
    am = catalog.get(r.PgAm, oid=row.opfmethod).amname
    shown = visible.opfamily_is_visible(catalog, oid)
    return (
        f"operator family {_qualified(catalog, shown, row.opfnamespace, row.opfname)}"
        f" for access method {am}"
    )


def _class(catalog: Catalog, a: ObjectAddress) -> str:
    relation = get_relation_description(catalog, a.objid)
    if a.objsubid == 0:
        return relation
    att = catalog.one(r.PgAttribute, attrelid=a.objid, attnum=a.objsubid)
    if att is None:
        raise PgError(
            INTERNAL_ERROR,
            f"cache lookup failed for attribute {a.objsubid} of relation {a.objid}",
        )
    return f"column {att.attname} of {relation}"


def _cast(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgCast, oid=a.objid)
    return (
        f"cast from {format_type_extended(catalog, row.castsource)}"
        f" to {format_type_extended(catalog, row.casttarget)}"
    )


def _constraint(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgConstraint, oid=a.objid)
    if row.conrelid:
        return f"constraint {row.conname} on {get_relation_description(catalog, row.conrelid)}"
    return f"constraint {row.conname}"


def _attrdef(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgAttrdef, oid=a.objid)
    column = ObjectAddress(r.PgClass.RELID, row.adrelid, row.adnum)
    return f"default value for {get_object_description(catalog, column)}"


def _opclass(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgOpclass, oid=a.objid)
    am = catalog.get(r.PgAm, oid=row.opcmethod).amname
    shown = visible.opclass_is_visible(catalog, a.objid)
    name = _qualified(catalog, shown, row.opcnamespace, row.opcname)
    return f"operator class {name} for access method {am}"


def _amop(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgAmop, oid=a.objid)
    return (
        f"operator {row.amopstrategy} ({format_type_extended(catalog, row.amoplefttype)},"
        f" {format_type_extended(catalog, row.amoprighttype)})"
        f" of {get_opfamily_description(catalog, row.amopfamily)}:"
        f" {format_operator(catalog, row.amopopr)}"
    )


def _amproc(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgAmproc, oid=a.objid)
    return (
        f"function {row.amprocnum} ({format_type_extended(catalog, row.amproclefttype)},"
        f" {format_type_extended(catalog, row.amprocrighttype)})"
        f" of {get_opfamily_description(catalog, row.amprocfamily)}:"
        f" {format_procedure(catalog, row.amproc)}"
    )


def _rewrite(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgRewrite, oid=a.objid)
    return f"rule {row.rulename} on {get_relation_description(catalog, row.ev_class)}"


def _trigger(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgTrigger, oid=a.objid)
    return f"trigger {row.tgname} on {get_relation_description(catalog, row.tgrelid)}"


def _policy(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgPolicy, oid=a.objid)
    return f"policy {row.polname} on {get_relation_description(catalog, row.polrelid)}"


def _user_mapping(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgUserMapping, oid=a.objid)
    server = catalog.get(r.PgForeignServer, oid=row.umserver).srvname
    user = get_user_name_from_id(catalog, row.umuser) if row.umuser else "public"
    return f"user mapping for {user} on server {server}"


_DEFAULT_ACL_WORDS = {
    "r": "relations",
    "S": "sequences",
    "f": "functions",
    "T": "types",
    "n": "schemas",
}


def _default_acl(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgDefaultAcl, oid=a.objid)
    what = _DEFAULT_ACL_WORDS[row.defaclobjtype]
    role = get_user_name_from_id(catalog, row.defaclrole)
    text = f"default privileges on new {what} belonging to role {role}"
    if row.defaclnamespace:
        text += f" in schema {catalog.get(r.PgNamespace, oid=row.defaclnamespace).nspname}"
    return text


def _publication_rel(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgPublicationRel, oid=a.objid)
    publication = catalog.get(r.PgPublication, oid=row.prpubid).pubname
    relation = get_relation_description(catalog, row.prrelid)
    return f"publication of {relation} in publication {publication}"


def _publication_namespace(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgPublicationNamespace, oid=a.objid)
    publication = catalog.get(r.PgPublication, oid=row.pnpubid).pubname
    schema = catalog.get(r.PgNamespace, oid=row.pnnspid).nspname
    return f"publication of schema {schema} in publication {publication}"


def _transform(catalog: Catalog, a: ObjectAddress) -> str:
    row = catalog.get(r.PgTransform, oid=a.objid)
    language = catalog.get(r.PgLanguage, oid=row.trflang).lanname
    return f"transform for {format_type_extended(catalog, row.trftype)} language {language}"


def _plain(cls: type[Any], column: str, what: str) -> Callable[[Any, ObjectAddress], str]:
    def describe(catalog: Catalog, a: ObjectAddress) -> str:
        return f"{what} {getattr(catalog.get(cls, oid=a.objid), column)}"

    return describe


def _in_schema(
    cls: type[Any],
    column: str,
    namespace_column: str,
    what: str,
    is_visible: Callable[[Any, int], bool | None],
) -> Callable[[Any, ObjectAddress], str]:
    def describe(catalog: Catalog, a: ObjectAddress) -> str:
        row = catalog.get(cls, oid=a.objid)
        shown = is_visible(catalog, a.objid)
        name = _qualified(catalog, shown, getattr(row, namespace_column), getattr(row, column))
        return f"{what} {name}"

    return describe


DESCRIBERS: dict[int, Callable[[Any, ObjectAddress], str]] = {
    r.PgClass.RELID: _class,
    r.PgProc.RELID: lambda c, a: f"function {format_procedure(c, a.objid)}",
    r.PgType.RELID: lambda c, a: f"type {format_type_extended(c, a.objid)}",
    r.PgCast.RELID: _cast,
    r.PgCollation.RELID: _in_schema(
        r.PgCollation, "collname", "collnamespace", "collation", visible.collation_is_visible
    ),
    r.PgConstraint.RELID: _constraint,
    r.PgConversion.RELID: _in_schema(
        r.PgConversion, "conname", "connamespace", "conversion", visible.conversion_is_visible
    ),
    r.PgAttrdef.RELID: _attrdef,
    r.PgLanguage.RELID: _plain(r.PgLanguage, "lanname", "language"),
    r.PgLargeobject.RELID: lambda c, a: f"large object {a.objid}",
    r.PgLargeobjectMetadata.RELID: lambda c, a: f"large object {a.objid}",
    r.PgOperator.RELID: lambda c, a: f"operator {format_operator(c, a.objid)}",
    r.PgOpclass.RELID: _opclass,
    r.PgOpfamily.RELID: lambda c, a: get_opfamily_description(c, a.objid),
    r.PgAm.RELID: _plain(r.PgAm, "amname", "access method"),
    r.PgAmop.RELID: _amop,
    r.PgAmproc.RELID: _amproc,
    r.PgRewrite.RELID: _rewrite,
    r.PgTrigger.RELID: _trigger,
    r.PgNamespace.RELID: _plain(r.PgNamespace, "nspname", "schema"),
    r.PgStatisticExt.RELID: _in_schema(
        r.PgStatisticExt,
        "stxname",
        "stxnamespace",
        "statistics object",
        visible.statistics_obj_is_visible,
    ),
    r.PgTsParser.RELID: _in_schema(
        r.PgTsParser,
        "prsname",
        "prsnamespace",
        "text search parser",
        visible.ts_parser_is_visible,
    ),
    r.PgTsDict.RELID: _in_schema(
        r.PgTsDict,
        "dictname",
        "dictnamespace",
        "text search dictionary",
        visible.ts_dict_is_visible,
    ),
    r.PgTsTemplate.RELID: _in_schema(
        r.PgTsTemplate,
        "tmplname",
        "tmplnamespace",
        "text search template",
        visible.ts_template_is_visible,
    ),
    r.PgTsConfig.RELID: _in_schema(
        r.PgTsConfig,
        "cfgname",
        "cfgnamespace",
        "text search configuration",
        visible.ts_config_is_visible,
    ),
    r.PgAuthid.RELID: lambda c, a: f"role {get_user_name_from_id(c, a.objid)}",
    r.PgDatabase.RELID: _plain(r.PgDatabase, "datname", "database"),
    r.PgTablespace.RELID: _plain(r.PgTablespace, "spcname", "tablespace"),
    r.PgForeignDataWrapper.RELID: _plain(r.PgForeignDataWrapper, "fdwname", "foreign-data wrapper"),
    r.PgForeignServer.RELID: _plain(r.PgForeignServer, "srvname", "server"),
    r.PgUserMapping.RELID: _user_mapping,
    r.PgDefaultAcl.RELID: _default_acl,
    r.PgExtension.RELID: _plain(r.PgExtension, "extname", "extension"),
    r.PgEventTrigger.RELID: _plain(r.PgEventTrigger, "evtname", "event trigger"),
    r.PgParameterAcl.RELID: _plain(r.PgParameterAcl, "parname", "parameter"),
    r.PgPolicy.RELID: _policy,
    r.PgPublication.RELID: _plain(r.PgPublication, "pubname", "publication"),
    r.PgPublicationNamespace.RELID: _publication_namespace,
    r.PgPublicationRel.RELID: _publication_rel,
    r.PgSubscription.RELID: _plain(r.PgSubscription, "subname", "subscription"),
    r.PgTransform.RELID: _transform,
}


def get_object_description(catalog: Catalog, address: ObjectAddress) -> str:
    """`table t`, `column a of table t`, `function f(integer)`, ... as DETAIL lines say it."""
    describe = DESCRIBERS.get(address.classid)
    if describe is None:
        raise PgError(INTERNAL_ERROR, f"unrecognized object class: {address.classid}")
    return describe(catalog, address)


# What pg_identify_object calls a class of objects.
TYPE_WORDS: dict[int, str] = {
    r.PgCast.RELID: "cast",
    r.PgCollation.RELID: "collation",
    r.PgConversion.RELID: "conversion",
    r.PgAttrdef.RELID: "default value",
    r.PgLanguage.RELID: "language",
    r.PgLargeobject.RELID: "large object",
    r.PgLargeobjectMetadata.RELID: "large object",
    r.PgOperator.RELID: "operator",
    r.PgOpclass.RELID: "operator class",
    r.PgOpfamily.RELID: "operator family",
    r.PgAm.RELID: "access method",
    r.PgAmop.RELID: "operator of access method",
    r.PgAmproc.RELID: "function of access method",
    r.PgRewrite.RELID: "rule",
    r.PgTrigger.RELID: "trigger",
    r.PgNamespace.RELID: "schema",
    r.PgStatisticExt.RELID: "statistics object",
    r.PgTsParser.RELID: "text search parser",
    r.PgTsDict.RELID: "text search dictionary",
    r.PgTsTemplate.RELID: "text search template",
    r.PgTsConfig.RELID: "text search configuration",
    r.PgAuthid.RELID: "role",
    r.PgDatabase.RELID: "database",
    r.PgTablespace.RELID: "tablespace",
    r.PgForeignDataWrapper.RELID: "foreign-data wrapper",
    r.PgForeignServer.RELID: "server",
    r.PgUserMapping.RELID: "user mapping",
    r.PgDefaultAcl.RELID: "default acl",
    r.PgExtension.RELID: "extension",
    r.PgEventTrigger.RELID: "event trigger",
    r.PgParameterAcl.RELID: "parameter ACL",
    r.PgPolicy.RELID: "policy",
    r.PgPublication.RELID: "publication",
    r.PgPublicationNamespace.RELID: "publication namespace",
    r.PgPublicationRel.RELID: "publication relation",
    r.PgSubscription.RELID: "subscription",
    r.PgTransform.RELID: "transform",
    r.PgType.RELID: "type",
}


def get_object_type_description(catalog: Catalog, address: ObjectAddress) -> str:
    """`table`, `table column`, `aggregate`, ... (the type column of pg_identify_object)."""
    if address.classid == r.PgClass.RELID:
        relation = catalog.get(r.PgClass, oid=address.objid)
        word = RELKIND_WORDS.get(relation.relkind, "relation")
        return f"{word} column" if address.objsubid else word
    if address.classid == r.PgProc.RELID:
        kind = catalog.get(r.PgProc, oid=address.objid).prokind
        return {"a": "aggregate", "p": "procedure"}.get(kind, "function")
    if address.classid == r.PgConstraint.RELID:
        on_table = catalog.get(r.PgConstraint, oid=address.objid).conrelid
        return "table constraint" if on_table else "domain constraint"
    word = TYPE_WORDS.get(address.classid, "")
    if not word:
        raise PgError(INTERNAL_ERROR, f"unrecognized object class: {address.classid}")
    return word
