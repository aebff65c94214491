"""pg_get_object_address: an object from what pg_identify_object_as_address says of it
(PostgreSQL's objectaddress.c).

The lists of texts become the raw nodes that a DDL statement would have; members of operator
families, default privileges and what is in a publication have no such node and are found here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.get_object_address import get_object_address
from pgemu.catalog.namespace import make_range_var_from_name_list, range_var_get_relid
from pgemu.catalog.objectaddress import ObjectAddress, get_object_description
from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function

_OBJECT_TYPES = {
    "table": "OBJECT_TABLE", "index": "OBJECT_INDEX", "sequence": "OBJECT_SEQUENCE",
    "view": "OBJECT_VIEW", "materialized view": "OBJECT_MATVIEW",
    "foreign table": "OBJECT_FOREIGN_TABLE", "table column": "OBJECT_COLUMN",
    "foreign table column": "OBJECT_COLUMN",
    "aggregate": "OBJECT_AGGREGATE", "function": "OBJECT_FUNCTION",
    "procedure": "OBJECT_PROCEDURE", "type": "OBJECT_TYPE",
    "cast": "OBJECT_CAST", "collation": "OBJECT_COLLATION",
    "table constraint": "OBJECT_TABCONSTRAINT", "domain constraint": "OBJECT_DOMCONSTRAINT",
    "conversion": "OBJECT_CONVERSION", "default value": "OBJECT_DEFAULT",
    "language": "OBJECT_LANGUAGE", "large object": "OBJECT_LARGEOBJECT",
    "operator": "OBJECT_OPERATOR", "operator class": "OBJECT_OPCLASS",
    "operator family": "OBJECT_OPFAMILY", "rule": "OBJECT_RULE", "trigger": "OBJECT_TRIGGER",
    "schema": "OBJECT_SCHEMA", "text search parser": "OBJECT_TSPARSER",
    "text search dictionary": "OBJECT_TSDICTIONARY",
    "text search template": "OBJECT_TSTEMPLATE",
    "text search configuration": "OBJECT_TSCONFIGURATION", "role": "OBJECT_ROLE",
    "database": "OBJECT_DATABASE", "tablespace": "OBJECT_TABLESPACE",
    "foreign-data wrapper": "OBJECT_FDW", "server": "OBJECT_FOREIGN_SERVER",
    "user mapping": "OBJECT_USER_MAPPING", "extension": "OBJECT_EXTENSION",
    "event trigger": "OBJECT_EVENT_TRIGGER", "access method": "OBJECT_ACCESS_METHOD",
    "policy": "OBJECT_POLICY", "publication": "OBJECT_PUBLICATION",
    "subscription": "OBJECT_SUBSCRIPTION", "statistics object": "OBJECT_STATISTIC_EXT",
    "transform": "OBJECT_TRANSFORM", "parameter ACL": "OBJECT_PARAMETER_ACL",
    "operator of access method": "OBJECT_AMOP", "function of access method": "OBJECT_AMPROC",
    "default acl": "OBJECT_DEFACL", "publication relation": "OBJECT_PUBLICATION_REL",
    "publication namespace": "OBJECT_PUBLICATION_NAMESPACE",
}  # fmt: skip
# described, but not to be looked up
_UNMAPPED = frozenset((
    "toast table", "composite type", "index column", "sequence column", "toast table column",
    "view column", "materialized view column", "composite type column",
))  # fmt: skip
_OF_ONE_TYPE = frozenset(("type", "cast", "transform", "domain constraint"))
_OF_ONE_NAME = frozenset((
    "access method", "database", "event trigger", "extension", "foreign-data wrapper", "server",
    "language", "parameter ACL", "publication", "role", "schema", "subscription", "tablespace",
    "large object", "publication namespace", "user mapping",
))  # fmt: skip
_OF_ONE_ARGUMENT = frozenset((
    "publication namespace", "user mapping", "domain constraint", "cast", "publication relation",
    "default acl", "transform",
))  # fmt: skip
_MEMBERS = frozenset(("operator of access method", "function of access method"))
_TYPED_ARGUMENTS = _MEMBERS | {"aggregate", "function", "procedure", "operator", "cast"}
_DEFAULT_ACL_WORDS = {
    "r": "tables", "S": "sequences", "f": "functions", "T": "types", "n": "schemas",
}  # fmt: skip


@pg_function("pg_get_object_address(text, _text, _text)", context=True)
def pg_get_object_address(ctx: CallContext, kind: str, names: str, args: str) -> Any:
    """(classid, objid, objsubid)."""
    if kind in _UNMAPPED:
        raise PgError(INVALID_PARAMETER_VALUE, f'unsupported object type "{kind}"')
    if kind not in _OBJECT_TYPES:
        raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized object type "{kind}"')
    parts, arguments = json.loads(names), json.loads(args)
    parts, arguments = _elements(parts), _elements(arguments)
    if kind in _OF_ONE_TYPE or kind == "large object":
        _check_length("name", parts, 1)
    if kind == "large object" and parts[0] is None:
        raise PgError(INVALID_PARAMETER_VALUE, "large object OID may not be null")
    _refuse_nulls(parts)
    if not parts:
        raise PgError(INVALID_PARAMETER_VALUE, "name list length must be at least 1")
    _refuse_nulls(arguments)
    _check_lengths(kind, parts, arguments)
    finder = _FINDERS.get(kind)
    if finder is not None:
        return tuple(finder(ctx.catalog, kind, parts, arguments))
    node = _raw_node(kind, parts, arguments)
    return tuple(get_object_address(ctx.catalog, _OBJECT_TYPES[kind], node, False))


def _elements(array: Any) -> list[Any]:
    """The elements of an array of any dimensions, in order."""
    if isinstance(array, dict):
        array = array["a"]
    found: list[Any] = []
    for item in array:
        found += _elements(item) if isinstance(item, list) else [item]
    return found


def _refuse_nulls(items: list[Any]) -> None:
    if None in items:
        raise PgError(INVALID_PARAMETER_VALUE, "name or argument lists may not contain nulls")


def _check_length(which: str, items: list[Any], wanted: int) -> None:
    if len(items) != wanted:
        raise PgError(INVALID_PARAMETER_VALUE, f"{which} list length must be exactly {wanted}")


def _check_lengths(kind: str, names: list[str], arguments: list[str]) -> None:
    least = 3 if kind in _MEMBERS else 2 if kind in ("operator class", "operator family") else 1
    if kind in _OF_ONE_NAME:
        _check_length("name", names, 1)
    if kind in _OF_ONE_ARGUMENT:
        _check_length("argument", arguments, 1)
    if len(names) < least:
        raise PgError(INVALID_PARAMETER_VALUE, f"name list length must be at least {least}")
    if kind in _MEMBERS or kind == "operator":
        _check_length("argument", arguments, 2)
    if kind == "large object" and not names[0].strip().isdigit():
        raise PgError(
            INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type oid: "{names[0]}"'
        )


def _type_node(text: str) -> Any:
    """typeStringToTypeName."""
    raw = import_module("pgemu.parser.parse_type").parse_type_string_raw(text)
    return raw if "TypeName" in raw else {"TypeName": raw}


def _string(text: str) -> Any:
    return {"String": {"sval": text}}


def _raw_node(kind: str, names: list[str], arguments: list[str]) -> Any:
    """The node that a statement would name the object by."""
    types = [_type_node(a) for a in arguments] if kind in _TYPED_ARGUMENTS else []
    if kind == "type":
        return _type_node(names[0])
    if kind == "cast":
        return {"List": {"items": [_type_node(names[0]), *types]}}
    if kind in ("transform", "domain constraint"):
        return {"List": {"items": [_type_node(names[0]), _string(arguments[0])]}}
    strings = [_string(name) for name in names]
    if kind == "user mapping":
        return {"List": {"items": [*strings, _string(arguments[0])]}}
    if kind in _TYPED_ARGUMENTS:
        return {"ObjectWithArgs": {"objname": strings, "objargs": types}}
    return {"List": {"items": strings}}


def _member(catalog: Any, kind: str, names: list[str], arguments: list[str]) -> ObjectAddress:
    """get_object_address_opf_member: the last name is the strategy or support number."""
    node = {"List": {"items": [_string(name) for name in names[:-1]]}}
    family = get_object_address(catalog, "OBJECT_OPFAMILY", node, False)
    number = int(names[-1])
    left, right = (
        get_object_address(catalog, "OBJECT_TYPE", _type_node(a), False).objid for a in arguments
    )
    row: Any
    if kind == "operator of access method":
        word, cls = "operator", r.PgAmop.RELID
        row = catalog.one(
            r.PgAmop, amopfamily=family.objid, amoplefttype=left, amoprighttype=right,
            amopstrategy=number,
        )  # fmt: skip
    else:
        word, cls = "function", r.PgAmproc.RELID
        row = catalog.one(
            r.PgAmproc, amprocfamily=family.objid, amproclefttype=left, amprocrighttype=right,
            amprocnum=number,
        )  # fmt: skip
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f"{word} {number} ({arguments[0]}, {arguments[1]}) of "
            f"{get_object_description(catalog, family)} does not exist",
        )
    return ObjectAddress(cls, row.oid)


def _default_acl(catalog: Any, kind: str, names: list[str], arguments: list[str]) -> ObjectAddress:
    """get_object_address_defacl."""
    letter = arguments[0][:1]
    if letter not in _DEFAULT_ACL_WORDS:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'unrecognized default ACL object type "{letter}"',
            hint='Valid object types are "r", "S", "f", "T", "n".',
        )
    schema = names[1] if len(names) > 1 else None
    role = catalog.one(r.PgAuthid, rolname=names[0])
    namespace = catalog.one(r.PgNamespace, nspname=schema) if schema else None
    row = None
    if role is not None and (schema is None or namespace is not None):
        row = catalog.one(
            r.PgDefaultAcl,
            defaclrole=role.oid,
            defaclnamespace=namespace.oid if namespace is not None else 0,
            defaclobjtype=letter,
        )
    if row is None:
        where = f' in schema "{schema}"' if schema else ""
        raise PgError(
            UNDEFINED_OBJECT,
            f'default ACL for user "{names[0]}"{where} on {_DEFAULT_ACL_WORDS[letter]} '
            "does not exist",
        )
    return ObjectAddress(r.PgDefaultAcl.RELID, row.oid)


def _publication(catalog: Any, name: str) -> int:
    address = get_object_address(catalog, "OBJECT_PUBLICATION", _string(name), False)
    return address.objid


def _published_relation(
    catalog: Any, kind: str, names: list[str], arguments: list[str]
) -> ObjectAddress:
    relid = range_var_get_relid(catalog, make_range_var_from_name_list(names), False)
    publication = _publication(catalog, arguments[0])
    row = catalog.one(r.PgPublicationRel, prrelid=relid, prpubid=publication)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'publication relation "{catalog.get(r.PgClass, oid=relid).relname}" in publication '
            f'"{arguments[0]}" does not exist',
        )
    return ObjectAddress(r.PgPublicationRel.RELID, row.oid)


def _published_schema(
    catalog: Any, kind: str, names: list[str], arguments: list[str]
) -> ObjectAddress:
    schema = get_object_address(catalog, "OBJECT_SCHEMA", _string(names[0]), False)
    publication = _publication(catalog, arguments[0])
    row = catalog.one(r.PgPublicationNamespace, pnnspid=schema.objid, pnpubid=publication)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'publication schema "{names[0]}" in publication "{arguments[0]}" does not exist',
        )
    return ObjectAddress(r.PgPublicationNamespace.RELID, row.oid)


_FINDERS: dict[str, Callable[[Any, str, list[str], list[str]], ObjectAddress]] = {
    "operator of access method": _member,
    "function of access method": _member,
    "default acl": _default_acl,
    "publication relation": _published_relation,
    "publication namespace": _published_schema,
}
