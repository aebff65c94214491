"""Name resolution: schemas, the search path, and finding things in it.

Counterpart of PostgreSQL's catalog/namespace.c, with its function names.  Dotted names are lists
of str or of raw String nodes.  Functions, operators and types have their own module
(namespace_candidates.py for the first two).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import (
    PgAuthid,
    PgClass,
    PgCollation,
    PgConversion,
    PgNamespace,
    PgOpclass,
    PgOpfamily,
    PgStatisticExt,
    PgTsConfig,
    PgTsDict,
    PgTsParser,
    PgTsTemplate,
    PgType,
)
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_TABLE_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    UNDEFINED_SCHEMA,
    UNDEFINED_TABLE,
    PgError,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

PG_CATALOG_NAMESPACE = 11
PG_TOAST_NAMESPACE = 99
PG_PUBLIC_NAMESPACE = 2200
UTF8_ENCODING = 6

Names = Sequence[Any]


def name_strings(names: Names) -> list[str]:
    """A raw list of String nodes (or plain strings) as strings."""
    return [n if isinstance(n, str) else n["String"].get("sval", "") for n in names]


def name_list_to_string(names: Names) -> str:
    """NameListToString: joined with dots, not quoted (for messages)."""
    parts = []
    for n in names:
        parts.append("*" if isinstance(n, dict) and "A_Star" in n else name_strings([n])[0])
    return ".".join(parts)


# --- the search path -------------------------------------------------------------------------


def split_identifier_string(text: str, separator: str = ",") -> list[str] | None:
    """SplitIdentifierString: identifiers, folded unless quoted; None for bad syntax."""
    out: list[str] = []
    i, n = 0, len(text)
    while i < n and text[i].isspace():
        i += 1
    if i >= n:
        return out
    while True:
        if text[i : i + 1] == '"':
            i += 1
            part = ""
            while True:
                end = text.find('"', i)
                if end < 0:
                    return None
                part += text[i:end]
                i = end + 1
                if text[i : i + 1] != '"':
                    break
                part += '"'
                i += 1
        else:
            start = i
            while i < n and text[i] != separator and not text[i].isspace():
                i += 1
            if i == start:
                return None
            part = "".join(c.lower() if c.isascii() else c for c in text[start:i])
        out.append(part[:63] if len(part.encode()) <= 63 else _truncate(part))
        while i < n and text[i].isspace():
            i += 1
        if i >= n:
            return out
        if text[i] != separator:
            return None
        i += 1
        while i < n and text[i].isspace():
            i += 1
        if i >= n:
            return None


def _truncate(name: str) -> str:
    return name.encode()[:63].decode(errors="ignore")


def _search_path_setting(catalog: Catalog) -> str:
    guc = catalog.ctx.guc
    return str(guc.values["search_path"]) if guc is not None else '"$user", public'


class _Path:
    """explicit: what the setting lists, in order; active: with the implicit schemas first;
    creation: the first explicit one (0: none); temp_first: that is pg_temp, maybe not made yet;
    functions: active without the temporary schema."""

    __slots__ = ("active", "creation", "explicit", "functions", "temp_first")

    def __init__(
        self,
        explicit: list[int],
        active: list[int],
        creation: int,
        temp: bool,
        functions: tuple[int, ...],
    ) -> None:
        self.explicit = explicit
        self.active = active
        self.functions = functions
        self.creation = creation
        self.temp_first = temp


def _recompute_namespace_path(catalog: Catalog) -> _Path:
    text = _search_path_setting(catalog)
    key = ("search_path", text, catalog.ctx.current_user_oid, catalog.my_temp_namespace)
    found: _Path | None = catalog.memo.get(key)
    if found is None:
        found = catalog.memo[key] = _make_path(catalog, text)
    return found


def _make_path(catalog: Catalog, text: str) -> _Path:
    from pgemu.catalog.acl import ACL_USAGE, pg_namespace_aclcheck

    explicit: list[int] = []
    temp_first = False
    for name in split_identifier_string(text) or []:
        oid = 0
        if name == "$user":
            role = catalog.one(PgAuthid, oid=catalog.ctx.current_user_oid)
            oid = get_namespace_oid(catalog, role.rolname, True) if role is not None else 0
        elif name == "pg_temp":
            oid = catalog.my_temp_namespace
            if not oid and not explicit:
                temp_first = True
                continue
        else:
            oid = get_namespace_oid(catalog, name, True)
        if oid and oid not in explicit and pg_namespace_aclcheck(catalog, oid, ACL_USAGE):
            explicit.append(oid)
    active = list(explicit)
    if PG_CATALOG_NAMESPACE not in active:
        active.insert(0, PG_CATALOG_NAMESPACE)
    temp = catalog.my_temp_namespace
    if temp and temp not in active:
        active.insert(0, temp)
    functions = tuple(oid for oid in active if oid != temp)
    return _Path(explicit, active, explicit[0] if explicit else 0, temp_first, functions)


def active_search_path(catalog: Catalog) -> list[int]:
    """The schemas to look in, in order."""
    return _recompute_namespace_path(catalog).active


def function_search_path(catalog: Catalog) -> tuple[int, ...]:
    """The active search path without the temporary schema, where functions and operators are
    never looked for."""
    return _recompute_namespace_path(catalog).functions


def fetch_search_path(catalog: Catalog, include_implicit: bool) -> list[int]:
    """current_schemas(include_implicit)."""
    path = _recompute_namespace_path(catalog)
    if path.temp_first:
        access_temp_table_namespace(catalog)
        path = _recompute_namespace_path(catalog)
    return list(path.active if include_implicit else path.explicit)


def get_creation_namespace(catalog: Catalog) -> int:
    """Where unqualified new objects go; 3F000 when the search path names no usable schema."""
    path = _recompute_namespace_path(catalog)
    if path.temp_first:
        return access_temp_table_namespace(catalog)
    if not path.creation:
        raise PgError(UNDEFINED_SCHEMA, "no schema has been selected to create in")
    return path.creation


# --- schemas -----------------------------------------------------------------------------------


def get_namespace_oid(catalog: Catalog, name: str, missing_ok: bool = False) -> int:
    """OID of a schema by its real name."""
    row = catalog.one(PgNamespace, nspname=name)
    if row is not None:
        return row.oid
    if missing_ok:
        return 0
    raise PgError(UNDEFINED_SCHEMA, f'schema "{name}" does not exist')


def lookup_namespace_no_error(catalog: Catalog, name: str) -> int:
    """As lookup_explicit_namespace, but no errors and no privilege check."""
    if name == "pg_temp" and catalog.my_temp_namespace:
        return catalog.my_temp_namespace
    return get_namespace_oid(catalog, name, True)


def lookup_explicit_namespace(
    catalog: Catalog, name: str, missing_ok: bool = False, location: int | None = None
) -> int:
    """OID of a schema that the statement names; needs USAGE on it."""
    from pgemu.catalog.acl import ACL_USAGE, pg_namespace_aclcheck

    if name == "pg_temp" and catalog.my_temp_namespace:
        return catalog.my_temp_namespace
    oid = get_namespace_oid(catalog, name, True)
    if not oid:
        if missing_ok:
            return 0
        raise PgError(UNDEFINED_SCHEMA, f'schema "{name}" does not exist', location=location)
    if not pg_namespace_aclcheck(catalog, oid, ACL_USAGE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for schema {name}", location=location
        )
    return oid


def lookup_creation_namespace(catalog: Catalog, name: str) -> int:
    """OID of a schema that a CREATE names; needs CREATE on it."""
    from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck

    if name == "pg_temp":
        return access_temp_table_namespace(catalog)
    oid = get_namespace_oid(catalog, name, False)
    if not pg_namespace_aclcheck(catalog, oid, ACL_CREATE):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for schema {name}")
    return oid


def check_set_namespace(catalog: Catalog, old: int, new: int) -> None:
    """CheckSetNamespace: may ALTER ... SET SCHEMA move something there?"""
    if is_any_temp_namespace(catalog, new) or is_any_temp_namespace(catalog, old):
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot move objects into or out of temporary schemas")
    if PG_TOAST_NAMESPACE in (new, old):
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot move objects into or out of TOAST schema")


def is_any_temp_namespace(catalog: Catalog, oid: int) -> bool:
    """Some session's pg_temp_N or pg_toast_temp_N."""
    if oid == catalog.my_temp_namespace and oid:
        return True
    row = catalog.one(PgNamespace, oid=oid)
    return row is not None and row.nspname.startswith(("pg_temp_", "pg_toast_temp_"))


def is_temp_namespace(catalog: Catalog, oid: int) -> bool:
    """This session's pg_temp."""
    return oid != 0 and oid == catalog.my_temp_namespace


def is_other_temp_namespace(catalog: Catalog, oid: int) -> bool:
    """Another session's temporary schema."""
    return oid != catalog.my_temp_namespace and is_any_temp_namespace(catalog, oid)


def access_temp_table_namespace(catalog: Catalog) -> int:
    """OID of this session's temporary schema, which is made at first use."""
    mine = catalog.my_temp_namespace
    # a rollback may have taken away the schema that its transaction made
    if mine and catalog.one(PgNamespace, oid=mine) is not None:
        return mine
    name = f"pg_temp_{catalog.backend_id}"
    oid = get_namespace_oid(catalog, name, True)
    if not oid:
        oid = catalog.new_oid()
        catalog.insert(PgNamespace(oid=oid, nspname=name, nspowner=10, nspacl=None))
        toast = f"pg_toast_temp_{catalog.backend_id}"
        if not get_namespace_oid(catalog, toast, True):
            catalog.insert(
                PgNamespace(oid=catalog.new_oid(), nspname=toast, nspowner=10, nspacl=None)
            )
    catalog.my_temp_namespace = oid
    return oid


def deconstruct_qualified_name(
    catalog: Catalog, names: Names, location: int | None = None
) -> tuple[str | None, str]:
    """(schema or None, name) of a dotted name; a database part must be the current one."""
    parts = name_strings(names)
    if len(parts) == 1:
        return None, parts[0]
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) == 3:
        if parts[0] != catalog.ctx.database:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"cross-database references are not implemented: {'.'.join(parts)}",
                location=location,
            )
        return parts[1], parts[2]
    raise PgError(
        SYNTAX_ERROR,
        f"improper qualified name (too many dotted names): {'.'.join(parts)}",
        location=location,
    )


def qualified_name_get_creation_namespace(catalog: Catalog, names: Names) -> tuple[int, str]:
    """(schema OID, name) for a new object that is not a relation."""
    schema, name = deconstruct_qualified_name(catalog, names)
    if schema is None:
        return get_creation_namespace(catalog), name
    if schema == "pg_temp":
        return access_temp_table_namespace(catalog), name
    return get_namespace_oid(catalog, schema, False), name


def make_range_var_from_name_list(names: Names, location: int = -1) -> dict[str, Any]:
    """A raw RangeVar body of a dotted name."""
    parts = name_strings(names)
    if not 1 <= len(parts) <= 3:
        raise PgError(
            SYNTAX_ERROR, f"improper relation name (too many dotted names): {'.'.join(parts)}"
        )
    keys = ("relname", "schemaname", "catalogname")
    made: dict[str, Any] = dict(zip(keys, reversed(parts), strict=False))
    made |= {"inh": True, "relpersistence": "p", "location": location}
    return made


# --- relations ---------------------------------------------------------------------------------


def _range_var_body(relation: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = relation.get("RangeVar", relation)
    return body


def _check_catalogname(catalog: Catalog, body: dict[str, Any]) -> None:
    name = body.get("catalogname")
    if name and name != catalog.ctx.database:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "cross-database references are not implemented: "
            f'"{name}.{body.get("schemaname", "")}.{body["relname"]}"',
        )


def get_relname_relid(catalog: Catalog, relname: str, namespace: int) -> int:
    """OID of a relation of one schema, or 0."""
    row = catalog.one(PgClass, relname=relname, relnamespace=namespace)
    return row.oid if row is not None else 0


def relname_get_relid(catalog: Catalog, relname: str) -> int:
    """OID of an unqualified relation name through the search path, or 0."""
    for namespace in active_search_path(catalog):
        found = catalog.all(PgClass, relname=relname, relnamespace=namespace)
        if found:
            catalog.know(PgClass, found[0].oid, found)
            return found[0].oid
    return 0


def range_var_get_relid(
    catalog: Catalog,
    relation: dict[str, Any],
    missing_ok: bool = False,
    location: int | None = None,
) -> int:
    """OID of the relation that a raw RangeVar names; 42P01 if there is none (0 if missing_ok)."""
    body = _range_var_body(relation)
    _check_catalogname(catalog, body)
    relname: str = body["relname"]
    schema: str | None = body.get("schemaname") or None
    if body.get("relpersistence") == "t":
        relid = 0
        if catalog.my_temp_namespace:
            if schema and lookup_explicit_namespace(catalog, schema, missing_ok) != (
                catalog.my_temp_namespace
            ):
                raise PgError(
                    INVALID_TABLE_DEFINITION, "temporary tables cannot specify a schema name"
                )
            relid = get_relname_relid(catalog, relname, catalog.my_temp_namespace)
    elif schema:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok, location)
        relid = get_relname_relid(catalog, relname, namespace) if namespace else 0
    else:
        relid = relname_get_relid(catalog, relname)
    if not relid and not missing_ok:
        full = f"{schema}.{relname}" if schema else relname
        raise PgError(UNDEFINED_TABLE, f'relation "{full}" does not exist', location=location)
    return relid


def range_var_get_creation_namespace(catalog: Catalog, relation: dict[str, Any]) -> int:
    """Schema OID for a new relation; the caller checks CREATE on it."""
    body = _range_var_body(relation)
    _check_catalogname(catalog, body)
    schema = body.get("schemaname")
    if schema:
        if schema == "pg_temp":
            return access_temp_table_namespace(catalog)
        return get_namespace_oid(catalog, schema, False)
    if body.get("relpersistence") == "t":
        return access_temp_table_namespace(catalog)
    return get_creation_namespace(catalog)


def range_var_get_and_check_creation_namespace(
    catalog: Catalog, relation: dict[str, Any], *, position: bool = False
) -> int:
    """The same with the privilege check and range_var_adjust_relation_persistence.
    position: the error points to the name, as that of CREATE TABLE does."""
    from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck

    try:
        namespace = range_var_get_creation_namespace(catalog, relation)
    except PgError as error:
        if position and error.sqlstate == UNDEFINED_SCHEMA:
            error.location = _range_var_body(relation).get("location", 0)
        raise
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        name = catalog.get(PgNamespace, oid=namespace).nspname
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f"permission denied for schema {name}",
            location=_range_var_body(relation).get("location", 0) if position else None,
        )
    try:
        range_var_adjust_relation_persistence(catalog, relation, namespace)
    except PgError as error:
        if position:
            error.location = _range_var_body(relation).get("location", 0)
        raise
    return namespace


def range_var_adjust_relation_persistence(
    catalog: Catalog, relation: dict[str, Any], namespace: int
) -> None:
    """A new relation in pg_temp is temporary; TEMP ones may be nowhere else."""
    body = _range_var_body(relation)
    persistence = body.get("relpersistence", "p")
    if persistence == "t":
        if not is_temp_namespace(catalog, namespace):
            if is_any_temp_namespace(catalog, namespace):
                message = "cannot create relations in temporary schemas of other sessions"
            else:
                message = "cannot create temporary relation in non-temporary schema"
            raise PgError(INVALID_TABLE_DEFINITION, message)
    elif is_temp_namespace(catalog, namespace):
        if persistence == "u":
            raise PgError(
                INVALID_TABLE_DEFINITION,
                "only temporary relations may be created in temporary schemas",
            )
        body["relpersistence"] = "t"
    elif is_any_temp_namespace(catalog, namespace):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            "cannot create relations in temporary schemas of other sessions",
        )


# --- types, collations, and other objects with one name per schema -----------------------------


def typename_get_typid(catalog: Catalog, typname: str, temp_ok: bool = True) -> int:
    """OID of an unqualified type name through the search path, or 0."""
    for namespace in active_search_path(catalog):
        if not temp_ok and namespace == catalog.my_temp_namespace:
            continue
        row = catalog.one(PgType, typname=typname, typnamespace=namespace)
        if row is not None:
            return row.oid
    return 0


def lookup_collation(catalog: Catalog, name: str, namespace: int) -> int:
    """A collation of one schema that fits the database's encoding (or any), or 0."""
    for encoding in (UTF8_ENCODING, -1):
        row = catalog.one(
            PgCollation, collname=name, collencoding=encoding, collnamespace=namespace
        )
        if row is not None:
            return row.oid
    return 0


def get_collation_oid(
    catalog: Catalog, names: Names, missing_ok: bool = False, location: int | None = None
) -> int:
    """OID of a collation by its possibly dotted name; 42704 if there is none."""
    schema, name = deconstruct_qualified_name(catalog, names, location)
    if schema is not None:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok, location)
        oid = lookup_collation(catalog, name, namespace) if namespace else 0
        if oid:
            return oid
    else:
        for namespace in active_search_path(catalog):
            if namespace == catalog.my_temp_namespace:
                continue
            oid = lookup_collation(catalog, name, namespace)
            if oid:
                return oid
    if missing_ok:
        return 0
    raise PgError(
        UNDEFINED_OBJECT,
        f'collation "{name_list_to_string(names)}" for encoding "UTF8" does not exist',
        location=location,
    )


# class -> (name column, namespace column, what an error calls it)
_NAMED: dict[type[Any], tuple[str, str, str]] = {
    PgConversion: ("conname", "connamespace", "conversion"),
    PgStatisticExt: ("stxname", "stxnamespace", "statistics object"),
    PgTsConfig: ("cfgname", "cfgnamespace", "text search configuration"),
    PgTsDict: ("dictname", "dictnamespace", "text search dictionary"),
    PgTsParser: ("prsname", "prsnamespace", "text search parser"),
    PgTsTemplate: ("tmplname", "tmplnamespace", "text search template"),
}


def get_named_object_oid(
    catalog: Catalog, cls: type[Any], names: Names, missing_ok: bool = False
) -> int:
    """OID of a conversion, statistics or text search object by its possibly dotted name."""
    name_column, namespace_column, what = _NAMED[cls]
    schema, name = deconstruct_qualified_name(catalog, names)
    if schema is not None:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok)
        path = [namespace] if namespace else []
    else:
        path = [n for n in active_search_path(catalog) if n != catalog.my_temp_namespace]
    for namespace in path:
        row: Any = catalog.one(cls, **{name_column: name, namespace_column: namespace})
        if row is not None:
            return int(row.oid)
    if missing_ok:
        return 0
    raise PgError(UNDEFINED_OBJECT, f'{what} "{name_list_to_string(names)}" does not exist')


def get_conversion_oid(catalog: Catalog, names: Names, missing_ok: bool = False) -> int:
    return get_named_object_oid(catalog, PgConversion, names, missing_ok)


def get_statistics_object_oid(catalog: Catalog, names: Names, missing_ok: bool = False) -> int:
    return get_named_object_oid(catalog, PgStatisticExt, names, missing_ok)


def get_ts_config_oid(catalog: Catalog, names: Names, missing_ok: bool = False) -> int:
    return get_named_object_oid(catalog, PgTsConfig, names, missing_ok)


def get_ts_dict_oid(catalog: Catalog, names: Names, missing_ok: bool = False) -> int:
    return get_named_object_oid(catalog, PgTsDict, names, missing_ok)


def get_ts_parser_oid(catalog: Catalog, names: Names, missing_ok: bool = False) -> int:
    return get_named_object_oid(catalog, PgTsParser, names, missing_ok)


def get_ts_template_oid(catalog: Catalog, names: Names, missing_ok: bool = False) -> int:
    return get_named_object_oid(catalog, PgTsTemplate, names, missing_ok)


def opclassname_get_opcid(catalog: Catalog, amid: int, name: str) -> int:
    """Operator class of an access method through the search path, or 0."""
    for namespace in active_search_path(catalog):
        row = catalog.one(PgOpclass, opcmethod=amid, opcname=name, opcnamespace=namespace)
        if row is not None and namespace != catalog.my_temp_namespace:
            return row.oid
    return 0


def opfamilyname_get_opfid(catalog: Catalog, amid: int, name: str) -> int:
    """Operator family of an access method through the search path, or 0."""
    for namespace in active_search_path(catalog):
        row = catalog.one(PgOpfamily, opfmethod=amid, opfname=name, opfnamespace=namespace)
        if row is not None and namespace != catalog.my_temp_namespace:
            return row.oid
    return 0
