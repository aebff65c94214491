"""From the raw node that names an object to its address (get_object_address of objectaddress.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.get_object_address import get_object_address as catalog_object_address
from pgemu.catalog.namespace import (
    get_collation_oid,
    get_conversion_oid,
    get_named_object_oid,
    lookup_explicit_namespace,
    make_range_var_from_name_list,
    name_list_to_string,
    range_var_get_relid,
)
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.commands.define import list_items, strings
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

# objtype -> (catalog, name column, word, SQLSTATE): objects with a plain name
_PLAIN: dict[str, tuple[Any, str, str, str]] = {
    "OBJECT_SCHEMA": (r.PgNamespace, "nspname", "schema", "3F000"),
    "OBJECT_DATABASE": (r.PgDatabase, "datname", "database", "3D000"),
    "OBJECT_EXTENSION": (r.PgExtension, "extname", "extension", UNDEFINED_OBJECT),
    "OBJECT_LANGUAGE": (r.PgLanguage, "lanname", "language", UNDEFINED_OBJECT),
    "OBJECT_ROLE": (r.PgAuthid, "rolname", "role", UNDEFINED_OBJECT),
    "OBJECT_TABLESPACE": (r.PgTablespace, "spcname", "tablespace", UNDEFINED_OBJECT),
    "OBJECT_EVENT_TRIGGER": (r.PgEventTrigger, "evtname", "event trigger", UNDEFINED_OBJECT),
    "OBJECT_FDW": (
        r.PgForeignDataWrapper, "fdwname", "foreign-data wrapper", UNDEFINED_OBJECT,
    ),
    "OBJECT_FOREIGN_SERVER": (r.PgForeignServer, "srvname", "server", UNDEFINED_OBJECT),
    "OBJECT_ACCESS_METHOD": (r.PgAm, "amname", "access method", UNDEFINED_OBJECT),
    "OBJECT_PUBLICATION": (r.PgPublication, "pubname", "publication", UNDEFINED_OBJECT),
}  # fmt: skip
_NAMED: dict[str, Any] = {
    "OBJECT_TSPARSER": r.PgTsParser, "OBJECT_TSDICTIONARY": r.PgTsDict,
    "OBJECT_TSTEMPLATE": r.PgTsTemplate, "OBJECT_TSCONFIGURATION": r.PgTsConfig,
    "OBJECT_STATISTIC_EXT": r.PgStatisticExt,
}  # fmt: skip
_RELATIONS = {
    "OBJECT_TABLE": ("rp", "a table"), "OBJECT_SEQUENCE": ("S", "a sequence"),
    "OBJECT_VIEW": ("v", "a view"), "OBJECT_MATVIEW": ("m", "a materialized view"),
    "OBJECT_INDEX": ("iI", "an index"), "OBJECT_FOREIGN_TABLE": ("f", "a foreign table"),
}  # fmt: skip
_CALLABLE = {
    "OBJECT_FUNCTION": ("function", "faw"), "OBJECT_PROCEDURE": ("procedure", "p"),
    "OBJECT_ROUTINE": ("routine", "fawp"), "OBJECT_AGGREGATE": ("aggregate", "a"),
}  # fmt: skip
_ON_RELATION: dict[str, tuple[Any, str, str, str]] = {
    "OBJECT_TRIGGER": (r.PgTrigger, "tgrelid", "tgname", 'trigger "{0}" for table "{1}"'),
    "OBJECT_RULE": (r.PgRewrite, "ev_class", "rulename", 'rule "{0}" for relation "{1}"'),
    "OBJECT_POLICY": (r.PgPolicy, "polrelid", "polname", 'policy "{0}" for table "{1}"'),
    "OBJECT_TABCONSTRAINT": (
        r.PgConstraint, "conrelid", "conname", 'constraint "{0}" for table "{1}"',
    ),
}  # fmt: skip


def get_object_address(
    catalog: Any, objtype: str, node: Any, missing_ok: bool
) -> ObjectAddress | None:
    """The address, or None when missing_ok and there is no such object."""
    if objtype in _PLAIN:
        cls, column, word, code = _PLAIN[objtype]
        name = strings([node])[0]
        row = catalog.one(cls, **{column: name})
        if row is None and not missing_ok:
            raise PgError(code, f'{word} "{name}" does not exist')
        return ObjectAddress(cls.RELID, row.oid, 0) if row is not None else None
    if objtype in _RELATIONS:
        return _relation(catalog, objtype, strings(list_items(node)), missing_ok)
    if objtype == "OBJECT_SUBSCRIPTION":
        return _subscription(catalog, strings([node])[0], missing_ok)
    if objtype == "OBJECT_LARGEOBJECT":
        return _large_object(catalog, node, missing_ok)
    if objtype == "OBJECT_COLUMN":
        return _column(catalog, strings(list_items(node)), missing_ok)
    if objtype in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        return _type(catalog, objtype, node, missing_ok)
    if objtype in _CALLABLE:
        return _callable(catalog, objtype, node["ObjectWithArgs"], missing_ok)
    if objtype == "OBJECT_OPERATOR":
        return _operator(catalog, node["ObjectWithArgs"], missing_ok)
    if objtype in _ON_RELATION:
        return _on_relation(catalog, objtype, strings(list_items(node)), missing_ok)
    if objtype == "OBJECT_COLLATION":
        oid = get_collation_oid(catalog, list_items(node), missing_ok)
        return ObjectAddress(r.PgCollation.RELID, oid, 0) if oid else None
    if objtype == "OBJECT_CONVERSION":
        oid = get_conversion_oid(catalog, list_items(node), missing_ok)
        return ObjectAddress(r.PgConversion.RELID, oid, 0) if oid else None
    if objtype in _NAMED:
        oid = get_named_object_oid(catalog, _NAMED[objtype], list_items(node), missing_ok)
        return ObjectAddress(_NAMED[objtype].RELID, oid, 0) if oid else None
    if objtype in ("OBJECT_OPCLASS", "OBJECT_OPFAMILY"):
        return _opclass(catalog, objtype, strings(list_items(node)), missing_ok)
    if objtype == "OBJECT_CAST":
        return _cast(catalog, list_items(node), missing_ok)
    if objtype == "OBJECT_TRANSFORM":
        found = catalog_object_address(catalog, objtype, node, missing_ok)
        return found if found.objid else None
    if objtype == "OBJECT_DOMCONSTRAINT":
        return _domain_constraint(catalog, list_items(node), missing_ok)
    raise PgError("0A000", f"objects of kind {objtype} are not supported")


def existing_object(catalog: Any, objtype: str, node: Any) -> ObjectAddress:
    """The address of an object that must exist."""
    found = get_object_address(catalog, objtype, node, False)
    assert found is not None
    return found


def _subscription(catalog: Any, name: str, missing_ok: bool) -> ObjectAddress | None:
    row = catalog.one(r.PgSubscription, subname=name, subdbid=catalog.ctx.database_oid)
    if row is None:
        if missing_ok:
            return None
        raise PgError(UNDEFINED_OBJECT, f'subscription "{name}" does not exist')
    return ObjectAddress(r.PgSubscription.RELID, row.oid, 0)


def _large_object(catalog: Any, node: Any, missing_ok: bool) -> ObjectAddress | None:
    value = node.get("Integer") or node.get("Float") or {}
    oid = int(value.get("ival", value.get("fval", 0)))
    if catalog.one(r.PgLargeobjectMetadata, oid=oid) is None:
        if missing_ok:
            return None
        raise PgError(UNDEFINED_OBJECT, f"large object {oid} does not exist")
    return ObjectAddress(r.PgLargeobject.RELID, oid, 0)


def _relation(
    catalog: Any, objtype: str, names: list[str], missing_ok: bool
) -> ObjectAddress | None:
    body = make_range_var_from_name_list(names)
    oid = range_var_get_relid(catalog, body.get("RangeVar", body), missing_ok)
    if not oid:
        return None
    kinds, article = _RELATIONS[objtype]
    row = catalog.one(r.PgClass, oid=oid)
    if row.relkind not in kinds:
        raise PgError(WRONG_OBJECT_TYPE, f'"{row.relname}" is not {article}')
    return ObjectAddress(r.PgClass.RELID, oid, 0)


def _any_relation(catalog: Any, names: list[str], missing_ok: bool) -> int:
    body = make_range_var_from_name_list(names)
    return int(range_var_get_relid(catalog, body.get("RangeVar", body), missing_ok))


def _column(catalog: Any, names: list[str], missing_ok: bool) -> ObjectAddress | None:
    if len(names) < 2:
        raise PgError("42601", "column name must be qualified")
    oid = _any_relation(catalog, names[:-1], missing_ok)
    if not oid:
        return None
    relation = catalog.relation(oid)
    att = relation.attrs_by_name.get(names[-1])
    if att is None:
        if missing_ok:
            return None
        raise PgError(
            UNDEFINED_COLUMN,
            f'column "{names[-1]}" of relation "{".".join(names[:-1])}" does not exist',
        )
    return ObjectAddress(r.PgClass.RELID, oid, att.attnum)


def _type(catalog: Any, objtype: str, node: Any, missing_ok: bool) -> ObjectAddress | None:
    from pgemu.parser.parse_type import lookup_type_name_oid

    body = node.get("TypeName", node)
    if "List" in body:
        body = {"names": list_items(body), "typemod": -1, "location": -1}
    # get_object_address_type knows no position of the name
    oid = lookup_type_name_oid(catalog, {**body, "location": -1}, missing_ok)
    if not oid:
        return None
    typ = catalog.one(r.PgType, oid=oid)
    if objtype == "OBJECT_DOMAIN" and typ.typtype != "d":
        raise PgError(WRONG_OBJECT_TYPE, f'"{".".join(strings(body["names"]))}" is not a domain')
    return ObjectAddress(r.PgType.RELID, oid, 0)


def _argument_types(catalog: Any, body: dict[str, Any], missing_ok: bool) -> list[int] | None:
    from pgemu.parser.parse_type import lookup_type_name_oid

    types = []
    for arg in body.get("objargs", ()):
        if "TypeName" not in arg:
            types.append(0)
            continue
        # the lookups of DDL know no position of the types
        oid = lookup_type_name_oid(catalog, {**arg["TypeName"], "location": -1}, missing_ok)
        if not oid:
            return None
        types.append(int(oid))
    return types


def _namespaces(catalog: Any, names: list[str], missing_ok: bool) -> list[int]:
    if len(names) > 1:
        oid = lookup_explicit_namespace(catalog, names[-2], missing_ok)
        return [oid] if oid else []
    return list(catalog.search_path())


def _callable(
    catalog: Any, objtype: str, body: dict[str, Any], missing_ok: bool
) -> ObjectAddress | None:
    """LookupFuncWithArgs."""
    word, kinds = _CALLABLE[objtype]
    names = strings(body["objname"])
    shown = name_list_to_string(names)
    spaces = _namespaces(catalog, names, missing_ok)
    if body.get("args_unspecified"):
        return _unspecified(catalog, objtype, names, spaces, missing_ok)
    types = _argument_types(catalog, body, missing_ok)
    if types is None:
        return None
    found = _exact_function(catalog, names[-1], spaces, types, kinds)
    if found is None and objtype in ("OBJECT_PROCEDURE", "OBJECT_ROUTINE"):
        found = _by_all_arguments(catalog, names[-1], spaces, body)
    if found is None:
        if missing_ok:
            return None
        args = ", ".join(catalog.type_name(t) for t in types)
        if objtype == "OBJECT_AGGREGATE" and not types:
            raise PgError(UNDEFINED_FUNCTION, f"aggregate {shown}(*) does not exist")
        # what may be any routine is called a function
        word = "function" if objtype == "OBJECT_ROUTINE" else word
        raise PgError(UNDEFINED_FUNCTION, f"{word} {shown}({args}) does not exist")
    if found.prokind not in kinds:
        args = ", ".join(catalog.type_name(t) for t in types)
        signature = f"{shown}({args})"
        if objtype == "OBJECT_FUNCTION" or found.prokind in "fwa":
            article = {"procedure": "a procedure", "aggregate": "an aggregate"}.get(
                word, "a function"
            )
            if objtype == "OBJECT_AGGREGATE":
                raise PgError(WRONG_OBJECT_TYPE, f"function {signature} is not an aggregate")
            raise PgError(WRONG_OBJECT_TYPE, f"{signature} is not {article}")
        raise PgError(WRONG_OBJECT_TYPE, f"{signature} is not a {word}")
    return ObjectAddress(r.PgProc.RELID, found.oid, 0)


def _exact_function(
    catalog: Any, name: str, spaces: list[int], types: list[int], kinds: str
) -> Any:
    other = None
    for space in spaces:
        for row in catalog.all(r.PgProc, proname=name, pronamespace=space):
            if list(row.proargtypes) == types:
                if row.prokind in kinds:
                    return row
                other = other or row
    return other


def _by_all_arguments(catalog: Any, name: str, spaces: list[int], body: dict[str, Any]) -> Any:
    """A procedure may be named with its OUT arguments as well."""
    from pgemu.parser.parse_type import lookup_type_name_oid

    wanted = []
    for node in body.get("objfuncargs", ()):
        oid = lookup_type_name_oid(catalog, node["FunctionParameter"]["argType"], True)
        wanted.append(int(oid))
    for space in spaces:
        for row in catalog.all(r.PgProc, proname=name, pronamespace=space):
            if row.prokind == "p" and list(row.proallargtypes or row.proargtypes) == wanted:
                return row
    return None


def _unspecified(
    catalog: Any, objtype: str, names: list[str], spaces: list[int], missing_ok: bool
) -> ObjectAddress | None:
    word, kinds = _CALLABLE[objtype]
    shown = name_list_to_string(names)
    found: dict[tuple[int, ...], Any] = {}
    for space in spaces:
        for row in catalog.all(r.PgProc, proname=names[-1], pronamespace=space):
            if row.prokind in kinds:
                found.setdefault(tuple(row.proargtypes), row)
    if len(found) > 1:
        raise PgError(
            AMBIGUOUS_FUNCTION,
            f'{word} name "{shown}" is not unique',
            hint=f"Specify the argument list to select the {word} unambiguously.",
        )
    if not found:
        if missing_ok:
            return None
        word = "function" if word == "routine" else word
        raise PgError(UNDEFINED_FUNCTION, f'could not find a {word} named "{shown}"')
    return ObjectAddress(r.PgProc.RELID, next(iter(found.values())).oid, 0)


def _operator(catalog: Any, body: dict[str, Any], missing_ok: bool) -> ObjectAddress | None:
    from pgemu.catalog.namespace_candidates import opername_get_oprid

    types = _argument_types(catalog, body, missing_ok)
    if types is None:
        return None
    left, right = (0, types[0]) if len(types) == 1 else (types[0], types[1])
    names = strings(body["objname"])
    oid = opername_get_oprid(catalog, names, left, right)
    if not oid:
        if missing_ok:
            return None
        if left and not right:
            raise PgError("42601", "postfix operators are not supported")
        shown = ".".join(names)
        if not left:
            text = f"{shown} {catalog.type_name(right)}"
        else:
            text = f"{catalog.type_name(left)} {shown} {catalog.type_name(right)}"
        raise PgError(UNDEFINED_FUNCTION, f"operator does not exist: {text}")
    return ObjectAddress(r.PgOperator.RELID, oid, 0)


def _on_relation(
    catalog: Any, objtype: str, names: list[str], missing_ok: bool
) -> ObjectAddress | None:
    cls, relation_column, name_column, message = _ON_RELATION[objtype]
    relid = _any_relation(catalog, names[:-1], missing_ok)
    if not relid:
        return None
    row = catalog.one(cls, **{relation_column: relid, name_column: names[-1]})
    if row is None:
        if missing_ok:
            return None
        name = catalog.relation(relid).name
        raise PgError(UNDEFINED_OBJECT, f"{message.format(names[-1], name)} does not exist")
    return ObjectAddress(cls.RELID, row.oid, 0)


def _opclass(
    catalog: Any, objtype: str, names: list[str], missing_ok: bool
) -> ObjectAddress | None:
    cls: Any
    cls, prefix, word = (
        (r.PgOpclass, "opc", "operator class")
        if objtype == "OBJECT_OPCLASS"
        else (r.PgOpfamily, "opf", "operator family")
    )
    am = catalog.one(r.PgAm, amname=names[0])
    if am is None:
        raise PgError(UNDEFINED_OBJECT, f'access method "{names[0]}" does not exist')
    rest = names[1:]
    for space in _namespaces(catalog, rest, missing_ok):
        keys = {f"{prefix}method": am.oid, f"{prefix}name": rest[-1], f"{prefix}namespace": space}
        row = catalog.one(cls, **keys)
        if row is not None:
            return ObjectAddress(cls.RELID, row.oid, 0)
    if missing_ok:
        return None
    raise PgError(
        UNDEFINED_OBJECT,
        f'{word} "{".".join(rest)}" does not exist for access method "{names[0]}"',
    )


def _cast(catalog: Any, items: list[Any], missing_ok: bool) -> ObjectAddress | None:
    from pgemu.parser.parse_type import lookup_type_name_oid

    source, target = (
        lookup_type_name_oid(catalog, {**i["TypeName"], "location": -1}, missing_ok) for i in items
    )
    row = catalog.one(r.PgCast, castsource=source, casttarget=target)
    if row is None:
        if missing_ok:
            return None
        raise PgError(
            UNDEFINED_OBJECT,
            f"cast from type {catalog.type_name(source)} to type {catalog.type_name(target)} "
            "does not exist",
        )
    return ObjectAddress(r.PgCast.RELID, row.oid, 0)


def _domain_constraint(catalog: Any, items: list[Any], missing_ok: bool) -> ObjectAddress | None:
    domain = _type(catalog, "OBJECT_DOMAIN", items[0], missing_ok)
    if domain is None:
        return None
    name = strings(items[1:])[0]
    row = catalog.one(r.PgConstraint, contypid=domain.objid, conname=name)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'constraint "{name}" for domain {catalog.type_name(domain.objid)} does not exist',
        )
    return ObjectAddress(r.PgConstraint.RELID, row.oid, 0)
