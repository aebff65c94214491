"""Type names to types (PostgreSQL's parse_type.c).

A raw TypeName is a dict: names, typmods, typemod, arrayBounds, setof, pct_type, location; it
stands in the raw tree either bare or wrapped as {"TypeName": {...}}, both are taken.
Also collation names, which PostgreSQL keeps here and in namespace.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAttribute, PgClass, PgCollation, PgType
from pgemu.errors import (
    DATATYPE_MISMATCH,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    UNDEFINED_TABLE,
    PgError,
)
from pgemu.parser.parse_cache import (
    by_role,
    deconstruct_qualified_name,
    get_type,
    lookup_explicit_namespace,
    parse_cache,
    search_path,
    str_list,
    temp_namespace,
)
from pgemu.types.base import base_types

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

RawTypeName = dict[str, Any]


def _body(typename: RawTypeName) -> RawTypeName:
    inner: RawTypeName = typename.get("TypeName", typename)
    return inner


def lookup_type_name(
    catalog: Catalog, typename: RawTypeName, missing_ok: bool = False, temp_ok: bool = True
) -> PgType | None:
    """pg_type row of a TypeName without regard to its typmods; None when there is none (with
    missing_ok also when its schema or relation is missing).  A shell type is returned too."""
    tn = _body(typename)
    names = str_list(tn.get("names", []))
    location = tn.get("location", 0)
    if not names:
        oid = tn.get("typeOid", 0)
        return get_type(catalog, oid) if oid else None
    if tn.get("pct_type"):
        oid = _pct_type(catalog, names, missing_ok, location)
    else:
        oid = _typename_oid(catalog, names, missing_ok, temp_ok, location)
    if not oid:
        return None
    row = get_type(catalog, oid)
    if tn.get("arrayBounds"):
        if not row.typarray:
            return None
        row = get_type(catalog, row.typarray)
    return row


def _typename_oid(
    catalog: Catalog, names: list[str], missing_ok: bool, temp_ok: bool, location: int
) -> int:
    cache = parse_cache(catalog)
    path = search_path(catalog) if len(names) == 1 else by_role(catalog)
    key = ("typename", temp_ok, path, *names)
    oid: int | None = cache.get(key)
    if oid is not None:
        return oid
    schema, name = deconstruct_qualified_name(catalog, names, location)
    oid = 0
    if schema is not None:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok, location)
        if namespace:
            row = catalog.one(PgType, typname=name, typnamespace=namespace)
            oid = row.oid if row is not None else 0
    else:
        oid = typename_get_typid(catalog, name, temp_ok)
    if oid:
        cache[key] = oid
    return oid


def typename_get_typid(catalog: Catalog, name: str, temp_ok: bool = True) -> int:
    """TypenameGetTypidExtended: OID of an unqualified type name through the search path, or 0."""
    temp = 0 if temp_ok else temp_namespace(catalog)
    for namespace in catalog.search_path():
        if temp and namespace == temp:
            continue
        row = catalog.one(PgType, typname=name, typnamespace=namespace)
        if row is not None:
            return row.oid
    return 0


def _pct_type(catalog: Catalog, names: list[str], missing_ok: bool, location: int) -> int:
    """table.column%TYPE."""
    if len(names) == 1:
        raise PgError(
            SYNTAX_ERROR,
            f"improper %TYPE reference (too few dotted names): {names[0]}",
            location=location,
        )
    relation_names, field = names[:-1], names[-1]
    relid = _relation_oid(catalog, relation_names, missing_ok, location)
    if not relid:
        return 0
    att = catalog.one(PgAttribute, attrelid=relid, attname=field)
    if att is None:
        if missing_ok:
            return 0
        raise PgError(
            UNDEFINED_COLUMN,
            f'column "{field}" of relation "{relation_names[-1]}" does not exist',
            location=location,
        )
    row = get_type(catalog, att.atttypid)
    catalog.ctx.notice(
        "NOTICE",
        "00000",
        f"type reference {'.'.join(names)}%TYPE converted to {catalog.type_name(row.oid)}",
    )
    return row.oid


def _relation_oid(catalog: Catalog, names: list[str], missing_ok: bool, location: int) -> int:
    schema, name = deconstruct_qualified_name(catalog, names, location)
    namespaces = (
        list(catalog.search_path())
        if schema is None
        else [lookup_explicit_namespace(catalog, schema, missing_ok, location)]
    )
    for namespace in namespaces:
        row = catalog.one(PgClass, relname=name, relnamespace=namespace)
        if row is not None:
            return row.oid
    if missing_ok:
        return 0
    raise PgError(
        UNDEFINED_TABLE, f'relation "{".".join(names)}" does not exist', location=location
    )


def typename_to_string(catalog: Catalog, typename: RawTypeName) -> str:
    """TypeNameToString: as the user wrote it."""
    tn = _body(typename)
    names = str_list(tn.get("names", []))
    text = ".".join(names) if names else catalog.type_name(tn.get("typeOid", 0))
    if tn.get("pct_type"):
        text += "%TYPE"
    if tn.get("arrayBounds"):
        text += "[]"
    return text


def typename_type(catalog: Catalog, typename: RawTypeName) -> tuple[PgType, int]:
    """typenameType: row and typmod; PostgreSQL's errors for a missing or shell type."""
    tn = _body(typename)
    row = lookup_type_name(catalog, tn)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'type "{typename_to_string(catalog, tn)}" does not exist',
            location=tn.get("location", 0),
        )
    if not row.typisdefined:
        raise PgError(
            UNDEFINED_OBJECT,
            f'type "{typename_to_string(catalog, tn)}" is only a shell',
            location=tn.get("location", 0),
        )
    return row, typename_type_mod(catalog, tn, row)


def typename_type_id(pstate: Any, typename: RawTypeName) -> int:
    """typenameTypeId: the OID; typmods are checked but not returned."""
    return typename_type(_catalog_of(pstate), typename)[0].oid


def typename_type_id_and_mod(pstate: Any, typename: RawTypeName) -> tuple[int, int]:
    """(type OID, typmod) of a raw TypeName.  First argument: a ParseState or a Catalog."""
    row, typmod = typename_type(_catalog_of(pstate), typename)
    return row.oid, typmod


def _catalog_of(pstate: Any) -> Catalog:
    catalog: Catalog = getattr(pstate, "catalog", pstate)
    return catalog


def lookup_type_name_oid(catalog: Catalog, typename: RawTypeName, missing_ok: bool = False) -> int:
    """LookupTypeNameOid: without typmods; 0 or an error when the type is missing."""
    row = lookup_type_name(catalog, typename, missing_ok)
    if row is None:
        if missing_ok:
            return 0
        raise PgError(
            UNDEFINED_OBJECT,
            f'type "{typename_to_string(catalog, typename)}" does not exist',
            location=_body(typename).get("location", 0),
        )
    return row.oid


def typename_type_mod(catalog: Catalog, typename: RawTypeName, row: PgType) -> int:
    """typenameTypeMod: numeric(10,2) -> the typmod."""
    tn = _body(typename)
    typmods = tn.get("typmods")
    if not typmods:
        return int(tn.get("typemod", 0)) if "typemod" in tn else -1
    location = tn.get("location", 0)
    if not row.typisdefined:
        raise PgError(
            SYNTAX_ERROR,
            f'type modifier cannot be specified for shell type "{typename_to_string(catalog, tn)}"',
            location=location,
        )
    if not row.typmodin:
        raise PgError(
            SYNTAX_ERROR,
            f'type modifier is not allowed for type "{typename_to_string(catalog, tn)}"',
            location=location,
        )
    args = [_typmod_text(item, location) for item in typmods]
    # an array has the typmods of its elements
    base = row.typelem if row.typelem and row.typsubscript else row.oid
    try:
        numbers = [str(base_types["int4"].input(arg, -1, catalog.ctx)) for arg in args]
        session = catalog.ctx.session
        noticed = len(session.notices) if session is not None else 0
        typmod: int = catalog.types.io(base).typmod_in(numbers, catalog.ctx)
        for notice in session.notices[noticed:] if session is not None else ():
            notice.location = location
        return typmod
    except PgError as error:
        if error.location is None:
            error.location = location
        raise


def _typmod_text(item: dict[str, Any], location: int) -> str:
    """A type modifier: a constant, or a lone identifier."""
    const = item.get("A_Const")
    if const is not None:
        if "ival" in const:
            return str(const["ival"].get("ival", 0))
        if "fval" in const:
            return str(const["fval"].get("fval", ""))
        if "sval" in const:
            return str(const["sval"].get("sval", ""))
    column = item.get("ColumnRef")
    if column is not None:
        fields = column.get("fields", [])
        if len(fields) == 1 and "String" in fields[0]:
            return str(fields[0]["String"].get("sval", ""))
    raise PgError(
        SYNTAX_ERROR, "type modifiers must be simple constants or identifiers", location=location
    )


def parse_type_string_raw(text: str) -> RawTypeName:
    """The raw TypeName of a text like "numeric(10,2)[]" (typeStringToTypeName)."""
    import pgparse

    bad = PgError(SYNTAX_ERROR, f'invalid type name "{text}"')
    if not text.strip() or "\0" in text:
        raise bad
    try:
        statements = pgparse.parse(f"SELECT (NULL)::{text}")
    except pgparse.PGQueryError as error:
        message = str(getattr(error, "message", error))
        failed = PgError(SYNTAX_ERROR, message)
        failed.add_context(f'invalid type name "{text}"')
        raise failed from None
    select = statements[0]["stmt"].get("SelectStmt", {}) if len(statements) == 1 else {}
    targets = select.get("targetList", [])
    allowed = {"targetList", "limitOption", "op"}
    if len(targets) != 1 or set(select) - allowed or "name" in targets[0]["ResTarget"]:
        raise bad
    cast = targets[0]["ResTarget"]["val"].get("TypeCast")
    if cast is None or not cast["arg"].get("A_Const", {}).get("isnull"):
        raise bad
    typename: RawTypeName = cast["typeName"]
    if typename.get("setof"):
        raise bad
    typename = dict(typename)
    typename["location"] = -1
    return typename


def type_string_to_typeid(catalog: Catalog, text: str, missing_ok: bool = False) -> tuple[int, int]:
    """parseTypeString: (type OID, typmod) of a type name in text; (0, -1) with missing_ok."""
    typename = parse_type_string_raw(text)
    row = lookup_type_name(catalog, typename, missing_ok)
    if row is None or not row.typisdefined:
        if missing_ok:
            return 0, -1
        shown = typename_to_string(catalog, typename)
        reason = "does not exist" if row is None else "is only a shell"
        raise PgError(UNDEFINED_OBJECT, f'type "{shown}" {reason}')
    return row.oid, typename_type_mod(catalog, typename, row)


parse_type_string = type_string_to_typeid


def get_collation_oid(
    catalog: Catalog, names: list[Any], missing_ok: bool = False, location: int = -1
) -> int:
    """OID of a possibly qualified collation name for the database's encoding; 42704 if none."""
    plain = str_list(names)
    cache = parse_cache(catalog)
    path = search_path(catalog) if len(plain) == 1 else by_role(catalog)
    key = ("collation", path, *plain)
    oid: int | None = cache.get(key)
    if oid is not None:
        return oid
    schema, name = deconstruct_qualified_name(catalog, plain, location)
    if schema is not None:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok, location)
        namespaces = [namespace] if namespace else []
    else:
        namespaces = list(catalog.search_path())
    encoding = 6  # PG_UTF8
    for namespace in namespaces:
        rows = catalog.all(PgCollation, collname=name, collnamespace=namespace)
        for wanted in (encoding, -1):
            for row in rows:
                if row.collencoding == wanted:
                    cache[key] = row.oid
                    return row.oid
    if missing_ok:
        return 0
    raise PgError(
        UNDEFINED_OBJECT,
        f'collation "{".".join(plain)}" for encoding "UTF8" does not exist',
        location=location,
    )


def lookup_collation(pstate: ParseState, collnames: list[Any], location: int) -> int:
    """LookupCollation: as get_collation_oid, with the error's position."""
    return get_collation_oid(pstate.catalog, collnames, False, location)


def get_column_def_collation(pstate: ParseState, coldef: dict[str, Any], typeoid: int) -> int:
    """GetColumnDefCollation: of a column definition (raw ColumnDef body)."""
    catalog = pstate.catalog
    typcollation = get_type(catalog, typeoid).typcollation
    location = coldef.get("location", 0)
    clause = coldef.get("collClause")
    if clause:
        clause = clause.get("CollateClause", clause)
        location = clause.get("location", 0)
        result = lookup_collation(pstate, clause["collname"], location)
    elif coldef.get("collOid"):
        result = int(coldef["collOid"])
    else:
        result = typcollation
    if result and not typcollation:
        raise PgError(
            DATATYPE_MISMATCH,
            f"collations are not supported by type {catalog.type_name(typeoid)}",
            location=location,
        )
    return result
