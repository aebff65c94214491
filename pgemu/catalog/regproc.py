"""Text forms of the types that are OIDs in disguise: regclass and its family.

Counterpart of PostgreSQL's utils/adt/regproc.c.  `reg_in` and `reg_out` serve all of them; kind is
the type's name.  `reg_in(..., missing_ok=True)` gives None where to_regclass() gives NULL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pgparse

from pgemu.catalog.format_type import format_operator, format_procedure, format_type_extended
from pgemu.catalog.keywords import quote_identifier, quote_qualified_identifier
from pgemu.catalog.namespace import (
    deconstruct_qualified_name,
    get_collation_oid,
    get_namespace_oid,
    get_ts_config_oid,
    get_ts_dict_oid,
    lookup_explicit_namespace,
    make_range_var_from_name_list,
    name_list_to_string,
    name_strings,
    range_var_get_relid,
    split_identifier_string,
    typename_get_typid,
)
from pgemu.catalog.namespace_candidates import (
    collation_is_visible,
    funcname_get_candidates,
    opername_get_candidates,
    opername_get_oprid,
    relation_is_visible,
    ts_config_is_visible,
    ts_dict_is_visible,
)
from pgemu.catalog.roles import get_role_oid
from pgemu.catalog.rows import (
    PgAuthid,
    PgClass,
    PgCollation,
    PgNamespace,
    PgOperator,
    PgProc,
    PgTsConfig,
    PgTsDict,
    PgType,
)
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    INVALID_NAME,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    SYNTAX_ERROR,
    TOO_MANY_ARGUMENTS,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    UNDEFINED_PARAMETER,
    PgError,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


def string_to_qualified_name_list(text: str) -> list[str]:
    """Split `a."B".c`; 42602 for bad syntax."""
    names = split_identifier_string(text, ".")
    if not names:
        raise PgError(INVALID_NAME, "invalid name syntax")
    return names


def parse_type_string(
    catalog: Catalog, text: str, missing_ok: bool = False
) -> tuple[int, int] | None:
    """parseTypeString: (type OID, -1) of a type name as SQL writes it; None if missing_ok.

    Type modifiers are checked for syntax only: what needs their value is in the parser's room.
    """
    typename = _raw_typename(text)
    names = name_strings(typename.get("names", []))
    schema, name = deconstruct_qualified_name(catalog, names)
    if schema is not None:
        namespace = lookup_explicit_namespace(catalog, schema, missing_ok)
        row = catalog.one(PgType, typname=name, typnamespace=namespace) if namespace else None
        oid = row.oid if row is not None else 0
    else:
        oid = typename_get_typid(catalog, name)
    if oid and typename.get("arrayBounds"):
        oid = catalog.get(PgType, oid=oid).typarray
    if not oid:
        if missing_ok:
            return None
        shown = name_list_to_string(names) + ("[]" if typename.get("arrayBounds") else "")
        raise PgError(UNDEFINED_OBJECT, f'type "{shown}" does not exist')
    return oid, -1


def _has_alias(tree: Any) -> bool:
    targets = tree[0]["stmt"].get("SelectStmt", {}).get("targetList", [])
    return bool(targets) and "name" in targets[0].get("ResTarget", {})


def _raw_typename(text: str) -> dict[str, Any]:
    def invalid() -> PgError:
        return PgError(SYNTAX_ERROR, f'invalid type name "{text}"')

    if not text.strip() or "\0" in text:
        raise invalid()
    head = "SELECT NULL::"
    try:
        tree: Any = pgparse.parse(head + text)
        if len(tree) == 1 and _has_alias(tree):
            head = "SELECT CAST(NULL AS "  # refuses what was taken for an alias
            pgparse.parse(f"{head}{text})")
    except pgparse.PGQueryError as error:
        raise PgError(
            SYNTAX_ERROR,
            str(error.message),
            where=f'invalid type name "{text}"',
        ) from None
    if len(tree) != 1:
        raise invalid()
    select = tree[0]["stmt"].get("SelectStmt", {})
    targets = select.get("targetList", [])
    if len(targets) != 1 or set(select) - {"targetList", "limitOption", "op"}:
        raise invalid()
    value = targets[0]["ResTarget"].get("val", {})
    typename: dict[str, Any] | None = value.get("TypeCast", {}).get("typeName")
    if typename is None or "name" in targets[0]["ResTarget"] or typename.get("setof"):
        raise invalid()
    return typename


def _parse_name_and_arg_types(
    catalog: Catalog, text: str, *, allow_none: bool, missing_ok: bool
) -> tuple[list[str], list[int]] | None:
    in_quote = False
    paren = -1
    for i, c in enumerate(text):
        if c == '"':
            in_quote = not in_quote
        elif c == "(" and not in_quote:
            paren = i
            break
    if paren < 0:
        raise PgError(INVALID_TEXT_REPRESENTATION, "expected a left parenthesis")
    names = string_to_qualified_name_list(text[:paren])
    rest = text[paren + 1 :].rstrip()
    if not rest.endswith(")"):
        raise PgError(INVALID_TEXT_REPRESENTATION, "expected a right parenthesis")
    types: list[int] = []
    for part in _split_arguments(rest[:-1]):
        if allow_none and part.lower() == "none":
            types.append(0)
            continue
        found = parse_type_string(catalog, part, missing_ok)
        if found is None:
            return None
        types.append(found[0])
    if len(types) > 100:
        raise PgError(TOO_MANY_ARGUMENTS, "too many arguments")
    return names, types


def _split_arguments(text: str) -> list[str]:
    """The parts between commas that are in no quotes and parentheses."""
    if not text.strip():
        return []
    parts = [""]
    quoted = False
    depth = 0
    for c in text:
        if c == '"':
            quoted = not quoted
        elif not quoted and c in "([":
            depth += 1
        elif not quoted and c in ")]":
            depth -= 1
        if c == "," and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    parts = [p.strip() for p in parts]
    if "" in parts or quoted or depth:
        raise PgError(INVALID_TEXT_REPRESENTATION, "improper type name")
    return parts


# --- input ---------------------------------------------------------------------------------------


def _regproc_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    found = funcname_get_candidates(
        catalog, string_to_qualified_name_list(text), missing_ok=missing_ok
    )
    if len(found) == 1:
        return found[0].oid
    if missing_ok:
        return None
    if not found:
        raise PgError(UNDEFINED_FUNCTION, f'function "{text}" does not exist')
    raise PgError(AMBIGUOUS_FUNCTION, f'more than one function named "{text}"')


def _regprocedure_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    parsed = _parse_name_and_arg_types(catalog, text, allow_none=False, missing_ok=missing_ok)
    if parsed is not None:
        names, types = parsed
        for candidate in funcname_get_candidates(catalog, names, len(types), missing_ok=missing_ok):
            if candidate.args == tuple(types):
                return candidate.oid
    if missing_ok:
        return None
    raise PgError(UNDEFINED_FUNCTION, f'function "{text}" does not exist')


def _regoper_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    found = opername_get_candidates(catalog, _operator_name(text), "", missing_ok)
    if len(found) == 1:
        return found[0].oid
    if missing_ok:
        return None
    if not found:
        raise PgError(UNDEFINED_FUNCTION, f"operator does not exist: {text}")
    raise PgError(AMBIGUOUS_FUNCTION, f"more than one operator named {text}")


def _operator_name(text: str) -> list[str]:
    return string_to_qualified_name_list(text)


def _regoperator_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    parsed = _parse_name_and_arg_types(catalog, text, allow_none=True, missing_ok=missing_ok)
    oid = 0
    if parsed is not None:
        names, types = parsed
        if len(types) == 1:
            raise PgError(
                UNDEFINED_PARAMETER,
                "missing argument",
                hint="Use NONE to denote the missing argument of a unary operator.",
            )
        if len(types) > 2:
            raise PgError(
                TOO_MANY_ARGUMENTS,
                "too many arguments",
                hint="Provide two argument types for operator.",
            )
        if types:
            oid = opername_get_oprid(catalog, names, types[0], types[1])
    if oid:
        return oid
    if missing_ok:
        return None
    raise PgError(UNDEFINED_FUNCTION, f"operator does not exist: {text}")


def _regclass_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    relation = make_range_var_from_name_list(string_to_qualified_name_list(text))
    return range_var_get_relid(catalog, relation, missing_ok) or None


def _regtype_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    found = parse_type_string(catalog, text, missing_ok)
    return found[0] if found is not None else None


def _single_name(text: str) -> str:
    names = string_to_qualified_name_list(text)
    if len(names) != 1:
        raise PgError(INVALID_NAME, "invalid name syntax")
    return names[0]


def _regrole_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    return get_role_oid(catalog, _single_name(text), missing_ok) or None


def _regnamespace_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    return get_namespace_oid(catalog, _single_name(text), missing_ok) or None


def _regcollation_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    return get_collation_oid(catalog, string_to_qualified_name_list(text), missing_ok) or None


def _regconfig_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    return get_ts_config_oid(catalog, string_to_qualified_name_list(text), missing_ok) or None


def _regdictionary_in(catalog: Catalog, text: str, missing_ok: bool) -> int | None:
    return get_ts_dict_oid(catalog, string_to_qualified_name_list(text), missing_ok) or None


_INPUTS: dict[str, Callable[[Any, str, bool], int | None]] = {
    "regproc": _regproc_in,
    "regprocedure": _regprocedure_in,
    "regoper": _regoper_in,
    "regoperator": _regoperator_in,
    "regclass": _regclass_in,
    "regtype": _regtype_in,
    "regrole": _regrole_in,
    "regnamespace": _regnamespace_in,
    "regcollation": _regcollation_in,
    "regconfig": _regconfig_in,
    "regdictionary": _regdictionary_in,
}


def reg_in(catalog: Catalog, kind: str, text: str) -> int:
    """OID of a text form: "-" is 0, digits are an OID, anything else is a name."""
    if text == "-":
        return 0
    if text and text[0].isdigit() and text.isascii() and text.isdigit():
        oid = int(text)
        if oid > 0xFFFFFFFF:
            raise PgError(
                NUMERIC_VALUE_OUT_OF_RANGE, f'value "{text}" is out of range for type oid'
            )
        return oid
    return _INPUTS[kind](catalog, text, False) or 0


def relation_of_text(catalog: Catalog, text: str) -> int:
    """textToQualifiedNameList and RangeVarGetRelid: a name and never the digits of an OID."""
    return _regclass_in(catalog, text, False) or 0


def reg_lookup(catalog: Catalog, kind: str, text: str) -> int | None:
    """to_regclass() and its family: None for a name that means nothing."""
    return _INPUTS[kind](catalog, text, True)


# --- output --------------------------------------------------------------------------------------


def _regproc_out(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgProc, oid=oid)
    if row is None:
        return None
    found = funcname_get_candidates(catalog, [row.proname], missing_ok=True)
    if len(found) == 1 and found[0].oid == oid:
        return quote_identifier(row.proname)
    namespace = catalog.get(PgNamespace, oid=row.pronamespace).nspname
    return quote_qualified_identifier(namespace, row.proname)


def _regprocedure_out(catalog: Catalog, oid: int) -> str | None:
    return format_procedure(catalog, oid)


def _regoper_out(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgOperator, oid=oid)
    if row is None:
        return None
    found = opername_get_candidates(catalog, [row.oprname], "", True)
    if len(found) == 1 and found[0].oid == oid:
        return row.oprname
    namespace = catalog.get(PgNamespace, oid=row.oprnamespace).nspname
    return f"{quote_identifier(namespace)}.{row.oprname}"


def _regoperator_out(catalog: Catalog, oid: int) -> str | None:
    return format_operator(catalog, oid)


def _regtype_out(catalog: Catalog, oid: int) -> str | None:
    if catalog.one(PgType, oid=oid) is None:
        return None
    return format_type_extended(catalog, oid)


def _regrole_out(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgAuthid, oid=oid)
    return quote_identifier(row.rolname) if row is not None else None


def _regnamespace_out(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgNamespace, oid=oid)
    return quote_identifier(row.nspname) if row is not None else None


def _named_out(
    cls: type[Any],
    name_column: str,
    namespace_column: str,
    visible: Callable[[Any, int], bool | None],
) -> Callable[[Any, int], str | None]:
    def output(catalog: Catalog, oid: int) -> str | None:
        row: Any = catalog.one(cls, oid=oid)
        if row is None:
            return None
        namespace = None
        if not visible(catalog, oid):
            namespace = catalog.get(PgNamespace, oid=getattr(row, namespace_column)).nspname
        return quote_qualified_identifier(namespace, getattr(row, name_column))

    return output


_OUTPUTS: dict[str, Callable[[Any, int], str | None]] = {
    "regproc": _regproc_out,
    "regprocedure": _regprocedure_out,
    "regoper": _regoper_out,
    "regoperator": _regoperator_out,
    "regclass": _named_out(PgClass, "relname", "relnamespace", relation_is_visible),
    "regtype": _regtype_out,
    "regrole": _regrole_out,
    "regnamespace": _regnamespace_out,
    "regcollation": _named_out(PgCollation, "collname", "collnamespace", collation_is_visible),
    "regconfig": _named_out(PgTsConfig, "cfgname", "cfgnamespace", ts_config_is_visible),
    "regdictionary": _named_out(PgTsDict, "dictname", "dictnamespace", ts_dict_is_visible),
}


def reg_out(catalog: Catalog, kind: str, oid: int) -> str:
    """Text form of an OID: its name, "-" for 0 ("0" for operators), digits if it is unknown."""
    if oid == 0:
        return "0" if kind in ("regoper", "regoperator") else "-"
    found = _OUTPUTS[kind](catalog, oid)
    return found if found is not None else str(oid)
