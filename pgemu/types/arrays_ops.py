"""Array functions and operators (PostgreSQL: arrayfuncs.c, array_userfuncs.c).

Polymorphic bodies are typed: the element type's I/O, found through the catalog by the call's
argument types, gives comparison and text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from pgemu.errors import (
    ARRAY_ELEMENT_ERROR,
    ARRAY_SUBSCRIPT_ERROR,
    DATA_EXCEPTION,
    FEATURE_NOT_SUPPORTED,
    NULL_VALUE_NOT_ALLOWED,
    UNDEFINED_FUNCTION,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays import compare_arrays
from pgemu.types.arrays_value import (
    MAXDIM,
    array_bounds,
    check_size,
    dimensions,
    dump_array,
    flatten,
    load_array,
    load_flat,
    reshape,
    zero_based,
)
from pgemu.types.base import BaseType
from pgemu.types.record import WITHOUT_ORDER

Compare = Callable[[Any, Any], int]


def native_compare(a: Any, b: Any) -> int:
    """By the order of storage values in SQLite: numbers, then texts ('NaN', a large pg_lsn)."""
    if isinstance(a, str) != isinstance(b, str):
        return 1 if isinstance(a, str) else -1
    return int(a > b) - int(a < b)


def element_io(ctx: CallContext, array_oid: int) -> BaseType | None:
    """The element type's I/O of an array type, None without a catalog."""
    if ctx.catalog is None:
        return None
    types = ctx.catalog.types
    element = types.element_type(array_oid)
    if not element:
        element = types.row(types.base_type(array_oid)).typelem
    io: BaseType | None = types.io(element) if element else None
    return io


def element_compare(ctx: CallContext, array_oid: int) -> Compare:
    """Comparison of two stored elements."""
    io = element_io(ctx, array_oid)
    return native_compare if io is None else io.compare


def check_comparable(ctx: CallContext, array_oid: int, wanted: str) -> None:
    """The elements' type has no operators to compare arrays with."""
    if ctx.catalog is None:
        return
    element = ctx.catalog.types.element_type(array_oid)
    if element in WITHOUT_ORDER:
        raise PgError(
            UNDEFINED_FUNCTION,
            f"could not identify {wanted} for type {ctx.catalog.type_name(element)}",
        )


def array_oid(info: TypeInfo) -> int:
    return info.arg_types[0] if info.arg_types else 0


# ---- comparison

_WANTED = ("a comparison function", "an equality operator")

for _name, _test in (
    ("eq", operator.eq),
    ("ne", operator.ne),
    ("lt", operator.lt),
    ("le", operator.le),
    ("gt", operator.gt),
    ("ge", operator.ge),
):

    def _body(
        ctx: CallContext, info: TypeInfo, a: str, b: str,
        test: Callable[[int, int], bool] = _test, wanted: str = _WANTED[_name in ("eq", "ne")],
    ) -> bool:  # fmt: skip
        check_comparable(ctx, array_oid(info), wanted)
        return test(compare_arrays(a, b, element_compare(ctx, array_oid(info))), 0)

    pg_function(f"array_{_name}(anyarray, anyarray)", context=True, typed=True)(_body)


@pg_function("btarraycmp(anyarray, anyarray)", context=True, typed=True)
def btarraycmp(ctx: CallContext, info: TypeInfo, a: str, b: str) -> int:
    return compare_arrays(a, b, element_compare(ctx, array_oid(info)))


@pg_function("array_larger(anyarray, anyarray)", context=True, typed=True)
def array_larger(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    return a if btarraycmp(ctx, info, a, b) > 0 else b


@pg_function("array_smaller(anyarray, anyarray)", context=True, typed=True)
def array_smaller(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    return a if btarraycmp(ctx, info, a, b) < 0 else b


def element_keys(ctx: CallContext, info: TypeInfo, flat: list[Any]) -> set[Any]:
    """Hashable keys of the elements that are not NULL."""
    io = element_io(ctx, array_oid(info))
    if io is None or io.collation is None:
        return {one for one in flat if one is not None}
    return {io.hash_key(one) for one in flat if one is not None}


@pg_function("arraycontains(anyarray, anyarray)", context=True, typed=True)
def arraycontains(ctx: CallContext, info: TypeInfo, a: str, b: str) -> bool:
    right = load_flat(b)
    if None in right:
        return False
    return element_keys(ctx, info, right) <= element_keys(ctx, info, load_flat(a))


@pg_function("arraycontained(anyarray, anyarray)", context=True, typed=True)
def arraycontained(ctx: CallContext, info: TypeInfo, a: str, b: str) -> bool:
    return arraycontains(ctx, info, b, a)


@pg_function("arrayoverlap(anyarray, anyarray)", context=True, typed=True)
def arrayoverlap(ctx: CallContext, info: TypeInfo, a: str, b: str) -> bool:
    left = element_keys(ctx, info, load_flat(a))
    return bool(left & element_keys(ctx, info, load_flat(b)))


# ---- sizes


@pg_function("array_ndims(anyarray)")
def array_ndims(array: str) -> int | None:
    return len(array_bounds(array)[0]) or None


@pg_function("array_dims(anyarray)", typed=True)
def array_dims(info: TypeInfo, array: str) -> str | None:
    lower, sizes = array_bounds(zero_based(info.arg_types[0], array))
    text = "".join(f"[{l}:{l + s - 1}]" for l, s in zip(lower, sizes, strict=True))
    return text or None


@pg_function("array_length(anyarray, int4)")
def array_length(array: str, dim: int) -> int | None:
    sizes = array_bounds(array)[1]
    return sizes[dim - 1] if 1 <= dim <= len(sizes) else None


@pg_function("array_lower(anyarray, int4)", typed=True)
def array_lower(info: TypeInfo, array: str, dim: int) -> int | None:
    lower = array_bounds(zero_based(info.arg_types[0], array))[0]
    return lower[dim - 1] if 1 <= dim <= len(lower) else None


@pg_function("array_upper(anyarray, int4)", typed=True)
def array_upper(info: TypeInfo, array: str, dim: int) -> int | None:
    lower, sizes = array_bounds(zero_based(info.arg_types[0], array))
    return lower[dim - 1] + sizes[dim - 1] - 1 if 1 <= dim <= len(lower) else None


@pg_function("cardinality(anyarray)")
def cardinality(array: str) -> int:
    return len(load_flat(array))


# ---- building


@pg_function("array_append(anycompatiblearray, anycompatible)")
def array_append(array: str | None, element: Any) -> str:
    elements, lower = load_array(array) if array is not None else ([], [])
    if len(lower) > 1:
        raise PgError(DATA_EXCEPTION, "argument must be empty or one-dimensional array")
    return dump_array([*elements, _stored(element)], lower or None)


@pg_function("array_prepend(anycompatible, anycompatiblearray)")
def array_prepend(element: Any, array: str | None) -> str:
    elements, lower = load_array(array) if array is not None else ([], [])
    if len(lower) > 1:
        raise PgError(DATA_EXCEPTION, "argument must be empty or one-dimensional array")
    return dump_array([_stored(element), *elements], lower or None)


def _stored(element: Any) -> Any:
    return element.hex() if isinstance(element, bytes) else element


def incompatible(detail: str) -> PgError:
    return PgError(ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays", detail=detail)


@pg_function("array_cat(anycompatiblearray, anycompatiblearray)")
def array_cat(a: str | None, b: str | None) -> str | None:
    if a is None or b is None:
        return b if a is None else a
    left, left_lower = load_array(a)
    right, right_lower = load_array(b)
    if not left_lower:
        return b
    if not right_lower:
        return a
    n, m = len(left_lower), len(right_lower)
    left_sizes, right_sizes = dimensions(left), dimensions(right)
    if n not in (m, m - 1, m + 1):
        raise incompatible(
            f"Arrays of {n} and {m} dimensions are not compatible for concatenation."
        )
    if n == m:
        if left_sizes[1:] != right_sizes[1:] or left_lower[1:] != right_lower[1:]:
            raise incompatible(
                "Arrays with differing element dimensions are not compatible for concatenation."
            )
        return dump_array(left + right, left_lower)
    if n == m - 1:
        if left_sizes != right_sizes[1:] or left_lower != right_lower[1:]:
            raise incompatible(
                "Arrays with differing dimensions are not compatible for concatenation."
            )
        return dump_array([left, *right], right_lower)
    if right_sizes != left_sizes[1:] or right_lower != left_lower[1:]:
        raise incompatible("Arrays with differing dimensions are not compatible for concatenation.")
    return dump_array([*left, right], left_lower)


@pg_function("array_fill(anyelement, _int4)", "array_fill(anyelement, _int4, _int4)")
def array_fill(element: Any, dims: str | None, lbs: str | None = "") -> str:
    if dims is None or lbs is None:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null")
    sizes = fill_bounds(dims)
    if len(sizes) > MAXDIM:
        raise PgError(
            "54000",
            f"number of array dimensions ({len(sizes)}) exceeds the maximum allowed ({MAXDIM})",
        )
    lower = fill_bounds(lbs) if lbs else [1] * len(sizes)
    if len(lower) != len(sizes):
        raise PgError(
            ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts",
            detail="Low bound array has different size than dimensions array.",
        )  # fmt: skip
    count = check_size(sizes, lower)
    if count == 0:
        return "[]"
    return dump_array(reshape([_stored(element)] * count, sizes), lower)


def fill_bounds(array: str) -> list[int]:
    """The integers of an argument of array_fill."""
    if len(array_bounds(array)[0]) > 1:
        raise PgError(
            ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts",
            detail="Dimension array must be one dimensional.",
        )  # fmt: skip
    values = load_flat(array)
    if None in values:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null")
    return values


@pg_function("trim_array(anyarray, int4)")
def trim_array(array: str, count: int) -> str:
    elements, _lower = load_array(array)
    if not 0 <= count <= len(elements):
        raise PgError(
            ARRAY_ELEMENT_ERROR,
            f"number of elements to trim must be between 0 and {len(elements)}",
        )
    return dump_array(elements[: len(elements) - count])


# ---- searching


def _equality(ctx: CallContext, info: TypeInfo) -> Callable[[Any, Any], bool]:
    compare = element_compare(ctx, array_oid(info))

    def equal(a: Any, b: Any) -> bool:
        if a is None or b is None:
            return a is b
        return compare(a, b) == 0

    return equal


def _one_dimensional(array: str, what: str) -> tuple[list[Any], int]:
    elements, lower = load_array(array)
    if len(lower) > 1:
        raise PgError(FEATURE_NOT_SUPPORTED, what)
    return elements, lower[0] if lower else 1


SEARCH_MULTI = "searching for elements in multidimensional arrays is not supported"
REMOVE_MULTI = "removing elements from multidimensional arrays is not supported"


@pg_function(
    "array_position(anycompatiblearray, anycompatible)",
    "array_position(anycompatiblearray, anycompatible, int4)",
    context=True,
    typed=True,
)
def array_position(
    ctx: CallContext, info: TypeInfo, array: str | None, element: Any, *start: int | None
) -> int | None:
    if array is None:
        return None
    elements, low = _one_dimensional(array, SEARCH_MULTI)
    if start and start[0] is None:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "initial position must not be null")
    first = start[0] if start and start[0] is not None else low
    equal = _equality(ctx, info)
    wanted = _stored(element)
    for index, one in enumerate(elements):
        if index + low >= first and equal(one, wanted):
            return index + low
    return None


@pg_function("array_positions(anycompatiblearray, anycompatible)", context=True, typed=True)
def array_positions(
    ctx: CallContext, info: TypeInfo, array: str | None, element: Any
) -> str | None:
    if array is None:
        return None
    elements, low = _one_dimensional(array, SEARCH_MULTI)
    equal = _equality(ctx, info)
    wanted = _stored(element)
    return dump_array([i + low for i, one in enumerate(elements) if equal(one, wanted)])


@pg_function("array_remove(anycompatiblearray, anycompatible)", context=True, typed=True)
def array_remove(ctx: CallContext, info: TypeInfo, array: str | None, element: Any) -> str | None:
    if array is None:
        return None
    elements, low = _one_dimensional(array, REMOVE_MULTI)
    equal = _equality(ctx, info)
    wanted = _stored(element)
    kept = [one for one in elements if not equal(one, wanted)]
    return dump_array(kept, [low])


@pg_function(
    "array_replace(anycompatiblearray, anycompatible, anycompatible)", context=True, typed=True
)
def array_replace(
    ctx: CallContext, info: TypeInfo, array: str | None, old: Any, new: Any
) -> str | None:
    if array is None:
        return None
    elements, lower = load_array(array)
    equal = _equality(ctx, info)
    wanted, put = _stored(old), _stored(new)
    flat = [put if equal(one, wanted) else one for one in flatten(elements)]
    return dump_array(reshape(flat, dimensions(elements)), lower) if flat else array


@pg_function(
    "array_to_string(anyarray, text)",
    "array_to_string(anyarray, text, text)",
    context=True,
    typed=True,
)
def array_to_string(
    ctx: CallContext, info: TypeInfo, array: str | None, delimiter: str | None, *null: str | None
) -> str | None:
    if array is None or delimiter is None:
        return None
    io = element_io(ctx, array_oid(info))
    shown = null[0] if null else None
    parts: list[str] = []
    for one in load_flat(array):
        if one is None:
            if shown is not None:
                parts.append(shown)
            continue
        if io is not None and io.storage == "blob":
            one = bytes.fromhex(one)
        parts.append(io.output(one, ctx) if io is not None else str(one))
    return delimiter.join(parts)


@pg_function("unnest(anyarray)", context=True, typed=True)
def array_unnest(ctx: CallContext, info: TypeInfo, array: str) -> Iterator[Any]:
    io = element_io(ctx, array_oid(info))
    blob = io is not None and io.storage == "blob"
    for one in load_flat(array):
        yield bytes.fromhex(one) if blob and one is not None else one


def scalar_array_op(
    value: Any,
    array: str,
    test: Callable[[Any, Any], bool | None],
    use_or: bool,
    *,
    strict: bool = True,
) -> bool | None:
    """value op ANY/ALL (array) with SQL's three-valued logic (ExecEvalScalarArrayOp).  An
    operator whose function is not strict is asked about NULL too."""
    unknown = False
    for one in load_flat(array):
        skip = strict and (one is None or value is None)
        result = None if skip else test(value, one)
        if result is None:
            unknown = True
        elif bool(result) is use_or:
            return use_or
    return None if unknown else not use_or


@pg_function("_pg_expandarray(anyarray)", context=True, typed=True)
def pg_expandarray(ctx: CallContext, info: TypeInfo, array: str) -> Iterator[tuple[Any, int]]:
    """information_schema's: the elements of a one-dimensional array with their numbers."""
    types = ctx.catalog.types
    element_type = types.element_type(info.arg_types[0]) or types.row(info.arg_types[0]).typelem
    blob = types.io(element_type).storage == "blob"
    elements, _lower = load_array(array)
    for number, element in enumerate(elements, 1):
        if isinstance(element, list):
            element = None
        yield bytes.fromhex(element) if blob and element is not None else element, number
