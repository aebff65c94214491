"""Functions by name and declared argument types, as DDL names them (LookupFuncName,
LookupFuncWithArgs, func_signature_string of PostgreSQL's parse_func.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.namespace_candidates import funcname_get_candidates
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    TOO_MANY_ARGUMENTS,
    UNDEFINED_FUNCTION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.parser.parse_cache import get_proc, str_list
from pgemu.parser.parse_type import lookup_type_name_oid

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

_KIND_OF_OBJECT = {
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_ROUTINE": "routine",
}


def func_signature_string(
    catalog: Catalog, funcname: list[str], argnames: list[str], argtypes: list[int]
) -> str:
    """`name(integer, x => text)`, for messages."""
    positional = len(argtypes) - len(argnames)
    parts = []
    for i, type_oid in enumerate(argtypes):
        prefix = f"{argnames[i - positional]} => " if i >= positional else ""
        parts.append(prefix + catalog.type_name(type_oid))
    return f"{'.'.join(funcname)}({', '.join(parts)})"


def lookup_func_name(
    catalog: Any,
    funcname: list[Any],
    argtypes: list[int] | None,
    missing_ok: bool = False,
    object_type: str = "OBJECT_ROUTINE",
) -> int:
    """OID of the routine with exactly these argument types (None: the only one of the name)."""
    catalog = getattr(catalog, "catalog", catalog)
    names = str_list(funcname)
    nargs = -1 if argtypes is None else len(argtypes)
    kind = _KIND_OF_OBJECT[object_type]
    matching: list[int] = []
    found = funcname_get_candidates(
        catalog, names, nargs, [], False, False, kind in ("procedure", "routine"), missing_ok
    )
    for candidate in found:
        if argtypes is not None and list(candidate.args) != list(argtypes):
            continue
        prokind = get_proc(catalog, candidate.oid).prokind
        if kind in ("function", "aggregate") and prokind == "p":
            continue
        if kind == "procedure" and prokind != "p":
            continue
        matching.append(candidate.oid)
    if len(matching) == 1:
        return matching[0]
    shown = ".".join(names)
    if matching and argtypes is None:
        if missing_ok and kind == "":
            return 0
        hint = {
            "function": "Specify the argument list to select the function unambiguously.",
            "procedure": "Specify the argument list to select the procedure unambiguously.",
            "aggregate": "Specify the argument list to select the aggregate unambiguously.",
            "routine": "Specify the argument list to select the routine unambiguously.",
        }[kind]
        word = "function" if kind == "aggregate" else kind
        raise PgError(AMBIGUOUS_FUNCTION, f'{word} name "{shown}" is not unique', hint=hint)
    if matching:
        word = "routine" if kind == "routine" else kind
        raise PgError(AMBIGUOUS_FUNCTION, f'{word} name "{shown}" is not unique')
    if missing_ok:
        return 0
    raise _missing(catalog, names, argtypes, kind)


def _missing(catalog: Catalog, names: list[str], argtypes: list[int] | None, kind: str) -> PgError:
    shown = ".".join(names)
    if argtypes is None:
        if kind == "aggregate":
            return PgError(UNDEFINED_FUNCTION, f'could not find an aggregate named "{shown}"')
        word = "procedure" if kind == "procedure" else "function"
        return PgError(UNDEFINED_FUNCTION, f'could not find a {word} named "{shown}"')
    signature = func_signature_string(catalog, names, [], list(argtypes))
    if kind == "aggregate":
        if not argtypes:
            return PgError(UNDEFINED_FUNCTION, f"aggregate {shown}(*) does not exist")
        return PgError(UNDEFINED_FUNCTION, f"aggregate {signature} does not exist")
    word = "procedure" if kind == "procedure" else "function"
    return PgError(UNDEFINED_FUNCTION, f"{word} {signature} does not exist")


def lookup_func_with_args(
    catalog: Any, object_type: str, objectwithargs: dict[str, Any], missing_ok: bool = False
) -> int:
    """LookupFuncWithArgs: the routine a DDL statement means (raw ObjectWithArgs); object_type is
    the raw tree's OBJECT_FUNCTION, _PROCEDURE, _AGGREGATE or _ROUTINE."""
    catalog = getattr(catalog, "catalog", catalog)
    obj = objectwithargs.get("ObjectWithArgs", objectwithargs)
    names = str_list(obj["objname"])
    raw_args = obj.get("objargs", [])
    if len(raw_args) > 100:
        raise PgError(TOO_MANY_ARGUMENTS, "functions cannot have more than 100 arguments")
    argtypes: list[int] | None = None
    if not obj.get("args_unspecified"):
        argtypes = []
        for raw in raw_args:
            oid = lookup_type_name_oid(catalog, raw, missing_ok)
            if not oid:
                return 0
            argtypes.append(oid)
    if object_type == "OBJECT_PROCEDURE" and argtypes is not None:
        found = _procedure_by_input(catalog, names, argtypes, obj)
        if found:
            return found
    funcid = lookup_func_name(catalog, names, argtypes, missing_ok, object_type)
    if funcid:
        _check_routine_kind(catalog, funcid, names, argtypes, object_type)
    return funcid


def _procedure_by_input(
    catalog: Catalog, names: list[str], argtypes: list[int], obj: dict[str, Any]
) -> int:
    """A procedure named with its input arguments only, or with all of them."""
    for candidate in funcname_get_candidates(
        catalog, names, len(argtypes), [], False, False, False, True
    ):
        if list(candidate.args) == argtypes and get_proc(catalog, candidate.oid).prokind == "p":
            return candidate.oid
    return 0


def _check_routine_kind(
    catalog: Catalog,
    funcid: int,
    names: list[str],
    argtypes: list[int] | None,
    object_type: str,
) -> None:
    prokind = get_proc(catalog, funcid).prokind
    if argtypes is None:
        shown = ".".join(names)
    else:
        shown = func_signature_string(catalog, names, [], argtypes)
    if object_type == "OBJECT_FUNCTION" and prokind == "p":
        raise PgError(WRONG_OBJECT_TYPE, f"{shown} is not a function")
    if object_type == "OBJECT_PROCEDURE" and prokind != "p":
        raise PgError(WRONG_OBJECT_TYPE, f"{shown} is not a procedure")
    if object_type == "OBJECT_AGGREGATE" and prokind != "a":
        raise PgError(WRONG_OBJECT_TYPE, f"function {shown} is not an aggregate")
