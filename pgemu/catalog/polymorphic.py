"""Which signatures let a polymorphic (or INTERNAL) result type be deduced (PostgreSQL's
check_valid_polymorphic_signature in parse_coerce.c)."""

from __future__ import annotations

from pgemu.errors import INVALID_FUNCTION_DEFINITION, PgError

ANYELEMENT, ANYARRAY, ANYNONARRAY, ANYENUM, ANYRANGE, ANYMULTIRANGE = (
    2283, 2277, 2776, 3500, 3831, 4537,
)  # fmt: skip
ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY = 5077, 5078, 5079
ANYCOMPATIBLERANGE, ANYCOMPATIBLEMULTIRANGE = 5080, 4538
INTERNAL = 2281

_FAMILY1 = {
    ANYELEMENT: "anyelement", ANYARRAY: "anyarray", ANYNONARRAY: "anynonarray",
    ANYENUM: "anyenum", ANYRANGE: "anyrange", ANYMULTIRANGE: "anymultirange",
}  # fmt: skip
_FAMILY2 = {
    ANYCOMPATIBLE: "anycompatible",
    ANYCOMPATIBLEARRAY: "anycompatiblearray",
    ANYCOMPATIBLENONARRAY: "anycompatiblenonarray",
    ANYCOMPATIBLERANGE: "anycompatiblerange",
    ANYCOMPATIBLEMULTIRANGE: "anycompatiblemultirange",
}


def _sources(ret_type: int) -> list[dict[int, str]]:
    """The argument types that decide a polymorphic type; empty for other types."""
    for family, ranges in (
        (_FAMILY1, (ANYRANGE, ANYMULTIRANGE)),
        (_FAMILY2, (ANYCOMPATIBLERANGE, ANYCOMPATIBLEMULTIRANGE)),
    ):
        if ret_type in ranges:
            return [{t: family[t] for t in ranges}]
        if ret_type in family:
            return [family]
    return []


def check_valid_polymorphic_signature(ret_type: int, declared_types: list[int]) -> str | None:
    """Detail text of what is wrong with a polymorphic result type, None if it can be deduced."""
    for sources in _sources(ret_type):
        if sources.keys() & set(declared_types):
            continue
        names = list(sources.values())
        joined = " or ".join(names)
        if len(names) > 2:
            joined = ", ".join(names[:-1]) + f", or {names[-1]}"
        name = {**_FAMILY1, **_FAMILY2}[ret_type]
        return f"A result of type {name} requires at least one input of type {joined}."
    return None


def check_result_types(result: int, outputs: list[int], inputs: list[int]) -> None:
    """ProcedureCreate's checks of the result type and of the OUT arguments."""
    for one in (result, *outputs):
        detail = check_valid_polymorphic_signature(one, inputs)
        if detail is not None:
            raise PgError(
                INVALID_FUNCTION_DEFINITION, "cannot determine result data type", detail=detail
            )
        if one == INTERNAL and INTERNAL not in inputs:
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                'unsafe use of pseudo-type "internal"',
                detail="A result of type internal requires at least one input of type internal.",
            )
