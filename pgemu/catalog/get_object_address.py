"""get_object_address: from the raw node of a DDL statement to the object that it names.

Counterpart of the first half of PostgreSQL's objectaddress.c.  One function per way of naming,
one table row per object type.  With missing_ok an object that is not there gives objid 0.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pgemu.catalog import rows as r
from pgemu.catalog.namespace import (
    deconstruct_qualified_name,
    get_collation_oid,
    get_named_object_oid,
    lookup_explicit_namespace,
    make_range_var_from_name_list,
    name_list_to_string,
    opclassname_get_opcid,
    opfamilyname_get_opfid,
    range_var_get_relid,
)
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.errors import (
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_DATABASE,
    UNDEFINED_OBJECT,
    UNDEFINED_SCHEMA,
    WRONG_OBJECT_TYPE,
    PgError,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

Node = Any
_Finder = Callable[["Catalog", str, Node, bool], ObjectAddress]


def get_object_address(
    catalog: Catalog, object_type: str, node: Node, missing_ok: bool = False
) -> ObjectAddress:
    """The address of the object; object_type is the raw tree's (OBJECT_TABLE ...)."""
    finder = _FINDERS.get(object_type)
    if finder is None:
        raise PgError("XX000", f"unrecognized objtype: {object_type}")
    try:
        return finder(catalog, object_type, node, missing_ok)
    except PgError as error:
        error.location = None  # names are looked up without a parse state: errors have no cursor
        raise


# -- raw nodes -----------------------------------------------------------------------------------


def _parser(module: str) -> Any:
    """The parser stands above the catalog; names of types and routines are its business."""
    return import_module(f"pgemu.parser.{module}")


def _items(node: Node) -> list[Node]:
    if isinstance(node, dict):
        node = node.get("List", node)
        return list(node.get("items", ()))
    return list(node)


def _string(node: Node) -> str:
    if isinstance(node, str):
        return node
    if "String" in node:
        node = node["String"]
    text: str = node.get("sval", "")
    return text


def _names(node: Node) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict) and "String" in node:
        return [_string(node)]
    return [_string(n) for n in _items(node)]


# -- objects without a schema --------------------------------------------------------------------

# object type -> (catalog, name column, word, SQLSTATE)
_UNQUALIFIED: dict[str, tuple[type[Any], str, str, str]] = {
    "OBJECT_ACCESS_METHOD": (r.PgAm, "amname", "access method", UNDEFINED_OBJECT),
    "OBJECT_DATABASE": (r.PgDatabase, "datname", "database", UNDEFINED_DATABASE),
    "OBJECT_EXTENSION": (r.PgExtension, "extname", "extension", UNDEFINED_OBJECT),
    "OBJECT_TABLESPACE": (r.PgTablespace, "spcname", "tablespace", UNDEFINED_OBJECT),
    "OBJECT_ROLE": (r.PgAuthid, "rolname", "role", UNDEFINED_OBJECT),
    "OBJECT_SCHEMA": (r.PgNamespace, "nspname", "schema", UNDEFINED_SCHEMA),
    "OBJECT_LANGUAGE": (r.PgLanguage, "lanname", "language", UNDEFINED_OBJECT),
    "OBJECT_FDW": (r.PgForeignDataWrapper, "fdwname", "foreign-data wrapper", UNDEFINED_OBJECT),
    "OBJECT_FOREIGN_SERVER": (r.PgForeignServer, "srvname", "server", UNDEFINED_OBJECT),
    "OBJECT_EVENT_TRIGGER": (r.PgEventTrigger, "evtname", "event trigger", UNDEFINED_OBJECT),
    "OBJECT_PARAMETER_ACL": (r.PgParameterAcl, "parname", "parameter ACL", UNDEFINED_OBJECT),
    "OBJECT_PUBLICATION": (r.PgPublication, "pubname", "publication", UNDEFINED_OBJECT),
    "OBJECT_SUBSCRIPTION": (r.PgSubscription, "subname", "subscription", UNDEFINED_OBJECT),
}


def _unqualified(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    cls, column, word, code = _UNQUALIFIED[kind]
    relid: int = cls.RELID
    name = _names(node)[0]
    row: Any = catalog.one(cls, **{column: name})
    if row is None:
        if missing_ok:
            return ObjectAddress(relid, 0)
        raise PgError(code, f'{word} "{name}" does not exist')
    return ObjectAddress(relid, row.oid)


# -- relations and what belongs to them ------------------------------------------------------------

_RELKINDS = {
    "OBJECT_INDEX": ("iI", "an index"),
    "OBJECT_SEQUENCE": ("S", "a sequence"),
    "OBJECT_TABLE": ("rp", "a table"),
    "OBJECT_VIEW": ("v", "a view"),
    "OBJECT_MATVIEW": ("m", "a materialized view"),
    "OBJECT_FOREIGN_TABLE": ("f", "a foreign table"),
}


def _relation(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    """get_relation_by_qualified_name."""
    names = _names(node)
    oid = range_var_get_relid(catalog, make_range_var_from_name_list(names), missing_ok)
    if oid:
        wanted, words = _RELKINDS[kind]
        row = catalog.get(r.PgClass, oid=oid)
        if row.relkind not in wanted:
            raise PgError(WRONG_OBJECT_TYPE, f'"{row.relname}" is not {words}')
    return ObjectAddress(r.PgClass.RELID, oid)


def _column(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    """get_object_address_attribute."""
    names = _names(node)
    relid, name = _owner(catalog, names, missing_ok, "column name must be qualified")
    classid = r.PgClass.RELID
    if not relid:
        return ObjectAddress(classid, 0)
    att = catalog.one(r.PgAttribute, attrelid=relid, attname=name)
    if att is None or att.attisdropped:
        if missing_ok:
            return ObjectAddress(classid, 0)
        raise PgError(
            UNDEFINED_COLUMN,
            f'column "{name}" of relation "{name_list_to_string(names[:-1])}" does not exist',
        )
    return ObjectAddress(classid, relid, att.attnum)


def _default(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    """get_object_address_attrdef."""
    names = _names(node)
    column = _column(catalog, kind, node, True)
    if not column.objid and not missing_ok and len(names) > 1:
        range_var_get_relid(catalog, make_range_var_from_name_list(names[:-1]), False)
    classid = r.PgAttrdef.RELID
    row = None
    if column.objid:
        row = catalog.one(r.PgAttrdef, adrelid=column.objid, adnum=column.objsubid)
    if row is None:
        if missing_ok:
            return ObjectAddress(classid, 0)
        raise PgError(
            UNDEFINED_COLUMN,
            f'default value for column "{names[-1]}" of relation '
            f'"{name_list_to_string(names[:-1])}" does not exist',
        )
    return ObjectAddress(classid, row.oid)


def _owner(catalog: Catalog, names: list[str], missing_ok: bool, message: str) -> tuple[int, str]:
    """(the relation, the last name) of a name like table.rule."""
    if len(names) < 2:
        raise PgError(SYNTAX_ERROR, message)
    rangevar = make_range_var_from_name_list(names[:-1])
    return range_var_get_relid(catalog, rangevar, missing_ok), names[-1]


# object type -> (catalog, relation column, name column, word, word for the relation)
_RELOBJECTS: dict[str, tuple[type[Any], str, str, str, str]] = {
    "OBJECT_RULE": (r.PgRewrite, "ev_class", "rulename", "rule", "relation"),
    "OBJECT_TRIGGER": (r.PgTrigger, "tgrelid", "tgname", "trigger", "table"),
    "OBJECT_TABCONSTRAINT": (r.PgConstraint, "conrelid", "conname", "constraint", "table"),
    "OBJECT_POLICY": (r.PgPolicy, "polrelid", "polname", "policy", "table"),
}


def _relobject(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    """get_object_address_relobject."""
    cls, owner, column, word, noun = _RELOBJECTS[kind]
    relid, name = _owner(catalog, _names(node), missing_ok, "must specify relation and object name")
    row: Any = catalog.one(cls, **{owner: relid, column: name}) if relid else None
    classid: int = cls.RELID
    if row is None:
        if missing_ok:
            return ObjectAddress(classid, 0)
        relname = catalog.get(r.PgClass, oid=relid).relname
        raise PgError(UNDEFINED_OBJECT, f'{word} "{name}" for {noun} "{relname}" does not exist')
    return ObjectAddress(classid, row.oid)


# -- types, routines, operators --------------------------------------------------------------------


def _type_oid(catalog: Catalog, node: Node, missing_ok: bool) -> int:
    oid: int = _parser("parse_type").lookup_type_name_oid(catalog, node, missing_ok)
    return oid


def _type(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    """get_object_address_type."""
    if isinstance(node, dict) and ("List" in node or "String" in node):
        node = {"TypeName": {"names": _items(node) or [node], "typemod": -1}}
    oid = _type_oid(catalog, node, missing_ok)
    if oid and kind == "OBJECT_DOMAIN" and catalog.get(r.PgType, oid=oid).typtype != "d":
        name = _parser("parse_type").typename_to_string(catalog, node)
        raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is not a domain')
    return ObjectAddress(r.PgType.RELID, oid)


def _domain_constraint(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    type_node, name_node = _items(node)
    domain = _type(catalog, "OBJECT_DOMAIN", type_node, missing_ok)
    name = _string(name_node)
    classid = r.PgConstraint.RELID
    row = None
    if domain.objid:
        row = catalog.one(r.PgConstraint, contypid=domain.objid, conname=name)
    if row is None:
        if missing_ok:
            return ObjectAddress(classid, 0)
        raise PgError(
            UNDEFINED_OBJECT,
            f'constraint "{name}" for domain {catalog.type_name(domain.objid)} does not exist',
        )
    return ObjectAddress(classid, row.oid)


def _routine(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    lookup = _parser("parse_func_lookup").lookup_func_with_args
    return ObjectAddress(r.PgProc.RELID, lookup(catalog, kind, node, missing_ok))


def _operator(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    lookup = _parser("parse_oper").lookup_oper_with_args
    return ObjectAddress(r.PgOperator.RELID, lookup(catalog, node, missing_ok))


def _opclass(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    """get_object_address_opcf: access method first, then the name."""
    names = _names(node)
    family = kind == "OBJECT_OPFAMILY"
    cls: type[Any] = r.PgOpfamily if family else r.PgOpclass
    am = catalog.one(r.PgAm, amname=names[0])
    if am is None:
        raise PgError(UNDEFINED_OBJECT, f'access method "{names[0]}" does not exist')
    schema, name = deconstruct_qualified_name(catalog, names[1:])
    if schema is None:
        find = opfamilyname_get_opfid if family else opclassname_get_opcid
        oid = find(catalog, am.oid, name)
    else:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok)
        stem = "opf" if family else "opc"
        keys = {f"{stem}method": am.oid, f"{stem}name": name, f"{stem}namespace": namespace}
        row: Any = catalog.one(cls, **keys) if namespace else None
        oid = row.oid if row is not None else 0
    if not oid and not missing_ok:
        word = "operator family" if family else "operator class"
        raise PgError(
            UNDEFINED_OBJECT,
            f'{word} "{name_list_to_string(names[1:])}" does not exist for access method '
            f'"{names[0]}"',
        )
    classid: int = cls.RELID
    return ObjectAddress(classid, oid)


def _cast(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    source_node, target_node = _items(node)
    source = _type_oid(catalog, source_node, missing_ok)
    target = _type_oid(catalog, target_node, missing_ok)
    row = None
    if source and target:
        row = catalog.one(r.PgCast, castsource=source, casttarget=target)
    if row is None:
        if missing_ok:
            return ObjectAddress(r.PgCast.RELID, 0)
        raise PgError(
            UNDEFINED_OBJECT,
            f"cast from type {catalog.type_name(source)} to type {catalog.type_name(target)} "
            "does not exist",
        )
    return ObjectAddress(r.PgCast.RELID, row.oid)


def _transform(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    type_node, language_node = _items(node)
    type_oid = _type_oid(catalog, type_node, missing_ok)
    language = _unqualified(catalog, "OBJECT_LANGUAGE", language_node, missing_ok)
    row = None
    if type_oid and language.objid:
        row = catalog.one(r.PgTransform, trftype=type_oid, trflang=language.objid)
    if row is None:
        if missing_ok:
            return ObjectAddress(r.PgTransform.RELID, 0)
        raise PgError(
            UNDEFINED_OBJECT,
            f"transform for type {catalog.type_name(type_oid)} language "
            f'"{_string(language_node)}" does not exist',
        )
    return ObjectAddress(r.PgTransform.RELID, row.oid)


# -- other named objects ---------------------------------------------------------------------------


def _collation(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    return ObjectAddress(r.PgCollation.RELID, get_collation_oid(catalog, _names(node), missing_ok))


_NAMED: dict[str, type[Any]] = {
    "OBJECT_CONVERSION": r.PgConversion,
    "OBJECT_STATISTIC_EXT": r.PgStatisticExt,
    "OBJECT_TSPARSER": r.PgTsParser,
    "OBJECT_TSDICTIONARY": r.PgTsDict,
    "OBJECT_TSTEMPLATE": r.PgTsTemplate,
    "OBJECT_TSCONFIGURATION": r.PgTsConfig,
}


def _named(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    cls = _NAMED[kind]
    classid: int = cls.RELID
    return ObjectAddress(classid, get_named_object_oid(catalog, cls, _names(node), missing_ok))


def _largeobject(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    if isinstance(node, dict) and "Integer" in node:
        oid = int(node["Integer"].get("ival", 0))
    elif isinstance(node, dict) and "Float" in node:
        oid = int(node["Float"].get("fval", "0"))
    else:
        oid = int(_names(node)[0])
    if catalog.one(r.PgLargeobjectMetadata, oid=oid) is None:
        if not missing_ok:
            raise PgError(UNDEFINED_OBJECT, f"large object {oid} does not exist")
        oid = 0
    return ObjectAddress(r.PgLargeobject.RELID, oid)


def _user_mapping(catalog: Catalog, kind: str, node: Node, missing_ok: bool) -> ObjectAddress:
    user, server = _names(node)
    classid = r.PgUserMapping.RELID
    role = catalog.one(r.PgAuthid, rolname=user)
    srv = catalog.one(r.PgForeignServer, srvname=server)
    row = None
    if srv is not None and (role is not None or user == "public"):
        userid = 0 if role is None else role.oid
        row = catalog.one(r.PgUserMapping, umuser=userid, umserver=srv.oid)
    if row is None:
        if missing_ok:
            return ObjectAddress(classid, 0)
        if srv is None and (role is not None or user == "public"):
            raise PgError(UNDEFINED_OBJECT, f'server "{server}" does not exist')
        raise PgError(
            UNDEFINED_OBJECT,
            f'user mapping for user "{user}" on server "{server}" does not exist',
        )
    return ObjectAddress(classid, row.oid)


_FINDERS: dict[str, _Finder] = {
    **dict.fromkeys(_UNQUALIFIED, _unqualified),
    **dict.fromkeys(_RELKINDS, _relation),
    **dict.fromkeys(_RELOBJECTS, _relobject),
    **dict.fromkeys(_NAMED, _named),
    "OBJECT_COLUMN": _column,
    "OBJECT_DEFAULT": _default,
    "OBJECT_TYPE": _type,
    "OBJECT_DOMAIN": _type,
    "OBJECT_DOMCONSTRAINT": _domain_constraint,
    "OBJECT_AGGREGATE": _routine,
    "OBJECT_FUNCTION": _routine,
    "OBJECT_PROCEDURE": _routine,
    "OBJECT_ROUTINE": _routine,
    "OBJECT_OPERATOR": _operator,
    "OBJECT_OPCLASS": _opclass,
    "OBJECT_OPFAMILY": _opclass,
    "OBJECT_CAST": _cast,
    "OBJECT_TRANSFORM": _transform,
    "OBJECT_COLLATION": _collation,
    "OBJECT_LARGEOBJECT": _largeobject,
    "OBJECT_USER_MAPPING": _user_mapping,
}
