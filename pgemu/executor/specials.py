"""Functions of SQLite statements that are no pg_proc rows: constructors of rows and arrays,
casts through text, subscripts, checks.  One row of SPECIALS per kind: its factory, given the
registry and the call site's key, returns the Python callable.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgClass, PgConstraint, PgNamespace, PgProc, PgType
from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    CARDINALITY_VIOLATION,
    CHECK_VIOLATION,
    FEATURE_NOT_SUPPORTED,
    INDETERMINATE_COLLATION,
    INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
    INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
    NOT_NULL_VIOLATION,
    PROGRAM_LIMIT_EXCEEDED,
    PgError,
)
from pgemu.executor.aggregates import state_maker
from pgemu.fmgr import TypeInfo, functions
from pgemu.nodes import primnodes as p
from pgemu.nodes.primnodes import Value
from pgemu.planner.calls import like_to_glob
from pgemu.planner.scaled import scaled_bound, scaled_total, unscaled_text
from pgemu.types.arrays_ops import scalar_array_op
from pgemu.types.arrays_subscript import (
    array_get_element,
    array_get_slice,
    array_set_element,
    array_set_slice,
)
from pgemu.types.arrays_value import (
    MAXDIM,
    depth,
    dimensions,
    dump_array,
    load_array,
    load_flat,
)
from pgemu.types.borrowed import reinterpret
from pgemu.types.fixed_subscript import (
    FIXED_LENGTH,
    fixed_get_element,
    fixed_set_element,
    fixed_slice,
)
from pgemu.types.hash import hash_any
from pgemu.types.icu import comparison_of, convert_case
from pgemu.types.numeric_ops import finite_div
from pgemu.types.record import deform, form_composite, form_record
from pgemu.types.varlena import lower_text

if TYPE_CHECKING:
    from pgemu.executor.udf import UdfRegistry

Factory = Callable[..., Callable[..., Any]]
SPECIALS: dict[str, tuple[Factory, bool]] = {}
SPECIAL_AGGREGATES: dict[str, Factory] = {}
RECORDOID, BOOLOID = 2249, 16
ROWS_PER_PAGE = 128


def special(kind: str, *, deterministic: bool = True) -> Callable[[Factory], Factory]:
    def register(factory: Factory) -> Factory:
        SPECIALS[kind] = (factory, deterministic)
        return factory

    return register


@special("ctid")
def ctid(udfs: UdfRegistry) -> Callable[..., Any]:
    """A row's address, made up from its rid."""
    return lambda rid: (
        None if rid is None else f"({(rid - 1) // ROWS_PER_PAGE},{(rid - 1) % ROWS_PER_PAGE + 1})"
    )


@special("current_of", deterministic=False)
def current_of(udfs: UdfRegistry, relid: int) -> Callable[..., Any]:
    """(cursor, OID of the table that is searched) -> the rid of the row that the cursor stands on,
    NULL if another table stores it.  With 0 whatever the table, with -1 the table's OID."""
    from pgemu.executor.current_of import current_row

    def call(name: str, table: int) -> int | None:
        found = current_row(udfs.session, name, relid)
        if found is None:
            return None
        if table == -1:
            return found[0]
        return found[1] if table in (0, found[0]) else None

    return call


@special("xml_expr", deterministic=False)
def xml_expr(udfs: UdfRegistry, *key: Any) -> Callable[..., Any]:
    from pgemu.executor.xmltable import xml_expr as function

    return function(udfs, *key)


@special("xmax", deterministic=False)
def xmax(udfs: UdfRegistry, relid: int) -> Callable[..., Any]:
    return lambda rid: udfs.session.row_xmax(relid, rid)


@special("row")
def row(
    udfs: UdfRegistry,
    row_type: int,
    types: tuple[int, ...],
    names: tuple[str, ...] = (),
    typmods: tuple[int, ...] = (),
) -> Callable[..., Any]:
    if row_type == RECORDOID:
        return lambda *values: form_record(types, values, names or None, typmods)
    return lambda *values: form_composite(values)


@special("scalar_array_op")
def scalar_array(
    udfs: UdfRegistry, funcid: int, use_or: bool, left_type: int, array_type: int
) -> Callable[..., Any]:
    proc: PgProc = udfs.catalog.get(PgProc, oid=funcid)
    element = udfs.catalog.types.element_type(array_type) or array_type
    test = udfs.callable(proc, TypeInfo((left_type, element), BOOLOID))
    blob = udfs.catalog.types.io(element).storage == "blob"

    def call(value: Any, array: Any) -> Any:
        if array is None or (value is None and proc.proisstrict and array != "[]"):
            return None
        if blob:
            array = dump_array([None if v is None else v for v in load_flat(array)])
            return scalar_array_op(
                value,
                array,
                lambda a, b: test(a, None if b is None else bytes.fromhex(b)),
                use_or,
                strict=proc.proisstrict,
            )
        return scalar_array_op(value, array, test, use_or, strict=proc.proisstrict)

    return call


@special("scaled_bound")
def scaled_constant(udfs: UdfRegistry, scale: int, symbol: str) -> Callable[..., Any]:
    return lambda value: scaled_bound(value, scale, symbol)


@special("scaled_min")
@special("scaled_max")
def scaled_extreme(udfs: UdfRegistry, scale: int) -> Callable[..., Any]:
    return lambda value: unscaled_text(value, scale)


@special("scaled_sum")
def scaled_sum(udfs: UdfRegistry, scale: int) -> Callable[..., Any]:
    return lambda *parts: scaled_total(parts, scale, None)


@special("scaled_avg")
def scaled_avg(udfs: UdfRegistry, scale: int) -> Callable[..., Any]:
    return lambda *parts: scaled_total(parts[:-1], scale, parts[-1])


@special("whole_sum")
def whole_sum(udfs: UdfRegistry, bits: int) -> Callable[..., Any]:
    """sum(int8), a numeric, from the sums of the high and the low bits."""
    return lambda high, low: None if high is None else str((high << bits) + low)


@special("whole_avg")
def whole_avg(udfs: UdfRegistry, bits: int) -> Callable[..., Any]:
    """avg of integers from their number and their sum, or the sums of high and low bits."""

    def call(count: int, total: int | None, low: int | None = None) -> str | None:
        if total is None:
            return None
        return finite_div(total if low is None else (total << bits) + low, 0, count, 0)

    return call


@special("glob_pattern")
def glob_pattern(udfs: UdfRegistry, insensitive: bool) -> Callable[..., Any]:
    """LIKE's pattern as GLOB's; None where there is none."""

    def call(pattern: str | None) -> str | None:
        if pattern is None:
            return None
        glob = like_to_glob(lower_text(pattern) if insensitive else pattern)
        return None if glob is None or "\0" in glob else glob

    return call


@special("json_path")
def json_path(udfs: UdfRegistry) -> Callable[..., Any]:
    """SQLite's path to what the keys of nested objects lead to; None where SQLite would read a
    key otherwise."""

    return _json_path


def _json_path(*keys: str | None) -> str | None:
    path = "$"
    for key in keys:
        if key is None or not key.isprintable() or not {'"', "\\"}.isdisjoint(key):
            return None
        path += f'."{key}"'
    return path


@special("jsonb_needle")
def jsonb_needle(udfs: UdfRegistry) -> Callable[..., Any]:
    """What the text of a jsonb has in it if it contains this one."""
    from pgemu.types.json_funcs import contained_text
    from pgemu.types.json_parse import load_jsonb

    return lambda part: None if part is None else contained_text(load_jsonb(part))


@special("jsonb_pair")
def jsonb_pair(udfs: UdfRegistry, which: str) -> Callable[..., Any]:
    """The key, as a path, or the value of a jsonb that is an object of one key and a string."""
    from pgemu.types.json_parse import load_jsonb

    def call(part: str | None) -> str | None:
        pair = None if part is None else load_jsonb(part)
        if type(pair) is not dict or len(pair) != 1:
            return None
        ((key, value),) = pair.items()
        if type(value) is not str:
            return None
        return _json_path(key) if which == "path" else value

    return call


@special("flat")
def flat(udfs: UdfRegistry) -> Callable[..., Any]:
    """An array as the flat JSON list that json_each walks."""

    def call(array: Any) -> Any:
        if array is None or (array[:1] == "[" and array[1:2] != "["):
            return array
        return dump_array(load_flat(array))

    return call


@special("index_coerce_via_io")
@special("coerce_via_io", deterministic=False)
def coerce_via_io(udfs: UdfRegistry, source: int, target: int) -> Callable[..., Any]:
    types, ctx = udfs.catalog.types, udfs.ctx
    output, read = types.io(source).output, types.io(target).input
    is_domain = types.row(target).typtype == "d"
    check = domain(udfs, target) if is_domain else None

    def call(value: Any) -> Any:
        if value is None:
            return check(None) if check is not None else None
        result = read(output(value, ctx), -1, ctx)
        return check(result) if check is not None else result

    return call


@special("bpchar_octets")
def bpchar_octets(udfs: UdfRegistry, width: int) -> Callable[..., Any]:
    """octet_length of a character(width) value, whose padding is not stored."""
    return lambda a: None if a is None else len(a.encode()) + max(0, width - len(a))


@special("bpchar_padded")
def bpchar_padded(udfs: UdfRegistry, width: int) -> Callable[..., Any]:
    """A character(width) value with its padding."""
    return lambda a: None if a is None else a.ljust(width)


@special("bpchar_array_padded")
def bpchar_array_padded(udfs: UdfRegistry, width: int) -> Callable[..., Any]:
    """A character(width)[] with the padding of its elements."""

    def each(part: Any) -> Any:
        if isinstance(part, list):
            return [each(one) for one in part]
        return None if part is None else part.ljust(width)

    def call(array: Any) -> Any:
        if array is None:
            return None
        elements, lower = load_array(array)
        return dump_array(each(elements), lower)

    return call


@special("reinterpret", deterministic=False)
def reinterpret_bytes(udfs: UdfRegistry, source: int, target: int) -> Callable[..., Any]:
    """A cast WITHOUT FUNCTION between types whose storage values differ."""
    types, ctx = udfs.catalog.types, udfs.ctx
    source_io, target_io = types.io(source), types.io(target)
    return lambda value: reinterpret(value, source_io, target_io, ctx)


# int2vector and oidvector
_VECTORS = (22, 30)


def as_array(vector: Any) -> Any:
    """An int2vector or oidvector as an array: its elements count from 0."""
    if vector is None or vector[:1] != "[" or vector == "[]":
        return vector
    return dump_array(load_flat(vector), [0])


@special("vector_array")
def vector_array(udfs: UdfRegistry) -> Callable[..., Any]:
    return as_array


@special("index_array_coerce")
@special("array_coerce", deterministic=False)
def array_coerce(
    udfs: UdfRegistry, elemexpr: p.Expr, source: int, target: int
) -> Callable[..., Any]:
    convert = compile_element(udfs, elemexpr)
    types = udfs.catalog.types
    from_blob = types.io(types.element_type(source)).storage == "blob"
    is_vector = source in _VECTORS

    def each(part: Any) -> Any:
        if isinstance(part, list):
            return [each(one) for one in part]
        if part is not None and from_blob:
            part = bytes.fromhex(part)
        return convert(part)

    def call(array: Any) -> Any:
        if array is None:
            return None
        elements, lower = load_array(as_array(array) if is_vector else array)
        return dump_array([each(one) for one in elements], lower)

    return call


def compile_element(udfs: UdfRegistry, expr: p.Expr) -> Callable[[Any], Any]:
    """An expression over one CaseTestExpr as a Python function, run by SQLite."""
    from pgemu.nodes.parsenodes import Query
    from pgemu.planner import sql
    from pgemu.planner.expressions import lower
    from pgemu.planner.lowering import Lowering, Scope
    from pgemu.planner.planner import _EveryLiteral

    low = Lowering(udfs.catalog, udfs)
    low.used_literals = _EveryLiteral()
    scope = Scope(Query("select"), [], low, case_test=sql.raw("?1"), domain_value=sql.raw("?1"))
    text = "SELECT " + sql.render(sql.paren(lower(expr, low, scope)))
    conn = udfs.conn
    return lambda value: conn.execute(text, (value,)).fetchone()[0]  # type: ignore[index]


@special("convert_rowtype")
def convert_rowtype(udfs: UdfRegistry, source: int, target: int) -> Callable[..., Any]:
    types = udfs.catalog.types
    given, made = types.io(types.base_type(source)), types.io(types.base_type(target))
    names = [c.name for c in given.columns]
    wanted = [c.name for c in made.columns]

    def call(value: Any) -> Any:
        if value is None:
            return None
        fields = dict(zip(names, given.live(list(deform(value)[1])), strict=False))
        return form_composite(made.placed([fields.get(name) for name in wanted]))

    return call


@special("domain", deterministic=False)
def domain(udfs: UdfRegistry, type_oid: int) -> Callable[..., Any]:
    """Check NOT NULL and CHECK of a domain and of the domains below it, as they are now."""
    session = udfs.session
    # that of a connection counts what its own transaction has changed
    current_version = getattr(session, "plan_version", session.catalog_version)
    state: list[Any] = [-1, None]

    def call(value: Any) -> Any:
        version = current_version()
        if state[0] != version:
            state[:] = version, _domain_check(udfs, type_oid)
        return state[1](value)

    return call


def _domain_check(udfs: UdfRegistry, type_oid: int) -> Callable[[Any], Any]:
    checks: list[tuple[str, Callable[[Any], Any]]] = []
    not_null = False
    catalog = udfs.catalog
    current: PgType = catalog.types.row(type_oid)
    # PostgreSQL names the outermost domain
    name, typname = catalog.type_name(type_oid), current.typname
    schema = catalog.get(PgNamespace, oid=current.typnamespace).nspname
    while current.typtype == "d":
        not_null = not_null or current.typnotnull
        found = []
        for constraint in catalog.all(PgConstraint, contypid=current.oid):
            if constraint.contype != "c":
                continue
            expr = catalog.decode_node(constraint.conbin)
            found.append((constraint.conname, compile_element(udfs, expr)))
        checks = sorted(found, key=lambda c: c[0]) + checks
        current = catalog.types.row(current.typbasetype)

    def call(value: Any) -> Any:
        if value is None and not_null:
            raise PgError(
                NOT_NULL_VIOLATION,
                f"domain {name} does not allow null values",
                schema=schema,
                datatype=typname,
            )
        for constraint_name, test in checks:
            if test(value) == 0:
                raise PgError(
                    CHECK_VIOLATION,
                    f'value for domain {name} violates check constraint "{constraint_name}"',
                    schema=schema,
                    datatype=typname,
                    constraint=constraint_name,
                )
        return value

    return call


@special("no_collation", deterministic=False)
def no_collation(udfs: UdfRegistry, what: str = "string comparison") -> Callable[..., Any]:
    """A comparison of strings whose collations differ (check_collation_set of varlena.c), or
    another function that asks for one."""

    def call(*values: Any) -> Any:
        if None in values:
            return None
        raise PgError(
            INDETERMINATE_COLLATION,
            f"could not determine which collation to use for {what}",
            hint="Use the COLLATE clause to set the collation explicitly.",
        )

    return call


@special("icu_case")
def icu_case(udfs: UdfRegistry, what: str, locale: str) -> Callable[..., Any]:
    """lower, upper or initcap by the rules of an ICU locale."""

    def call(value: str | None) -> str | None:
        return None if value is None else convert_case(what, locale, value)

    return call


@special("nondeterministic", deterministic=False)
def nondeterministic(udfs: UdfRegistry, what: str) -> Callable[..., Any]:
    """A function that cannot compare by such a collation: an error once it is called."""

    def call(*values: Any) -> None:
        if None not in values:
            raise PgError(
                FEATURE_NOT_SUPPORTED, f"nondeterministic collations are not supported for {what}"
            )

    return call


@special("min_max")
def min_max(udfs: UdfRegistry, type_oid: int, op: str, collation: str = "") -> Callable[..., Any]:
    compare = comparison_of(collation) or udfs.catalog.types.io(type_oid).compare
    sign = 1 if op == "greatest" else -1

    def call(*values: Any) -> Any:
        best = None
        for value in values:
            if value is not None and (best is None or compare(value, best) * sign > 0):
                best = value
        return best

    return call


@special("sql_value", deterministic=False)
def sql_value(udfs: UdfRegistry, op: str, typmod: int) -> Callable[..., Any]:
    return lambda: udfs.session.sql_value(op, typmod)


@special("next_value", deterministic=False)
def next_value(udfs: UdfRegistry, seqid: int) -> Callable[..., Any]:
    return lambda: udfs.session.nextval(seqid)


@special("row_is_null")
def row_is_null(udfs: UdfRegistry, want_null: bool, row_type: int) -> Callable[..., Any]:
    io = udfs.catalog.types.io(row_type)
    live = getattr(io, "live", list)

    def call(value: Any) -> int:
        if value is None:
            return int(want_null)
        fields = live(deform(value)[1])
        return int(all((field is None) == want_null for field in fields))

    return call


@special("array")
def array(udfs: UdfRegistry, element_type: int, multidims: bool) -> Callable[..., Any]:
    blob = udfs.catalog.types.io(element_type).storage == "blob"
    if not multidims:
        if blob:
            return lambda *items: dump_array([None if v is None else v.hex() for v in items])
        return lambda *items: dump_array(list(items))

    def nested(*items: Any) -> Any:
        parts = [load_array(one)[0] for one in items if one is not None]
        if len(parts) < len(items) and parts and any(parts):
            parts = [load_array(one)[0] if one is not None else [] for one in items]
        shapes = {_shape(part) for part in parts}
        if len(shapes) > 1:
            raise PgError(
                ARRAY_SUBSCRIPT_ERROR,
                "multidimensional arrays must have array expressions with matching dimensions",
            )
        if not any(parts):
            return "[]"
        if depth(parts) > MAXDIM:
            raise PgError(
                PROGRAM_LIMIT_EXCEEDED,
                f"number of array dimensions ({depth(parts)}) exceeds the maximum allowed "
                f"({MAXDIM})",
            )
        return dump_array(parts)

    return nested


def _shape(part: Any) -> tuple[int, ...]:
    sizes = []
    while isinstance(part, list):
        sizes.append(len(part))
        if not part:
            break
        part = part[0]
    return tuple(sizes)


@special("field_select")
def field_select(udfs: UdfRegistry, number: int, result_type: int) -> Callable[..., Any]:
    def call(value: Any) -> Any:
        if value is None:
            return None
        fields = deform(value)[1]
        return fields[number - 1] if number <= len(fields) else None

    return call


@special("field_store")
def field_store(udfs: UdfRegistry, row_type: int, numbers: tuple[int, ...]) -> Callable[..., Any]:
    width = udfs.catalog.types.io(row_type).width

    def call(base: Any, *values: Any) -> Any:
        fields = deform(base)[1] if base is not None else []
        fields += [None] * (width - len(fields))
        for number, value in zip(numbers, values, strict=True):
            fields[number - 1] = value
        return form_composite(fields)

    return call


def _bounds(shape: Sequence[int], values: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Per dimension (lower, upper) from the bits of shape: 2 = has lower, 1 = has upper."""
    given = iter(values)
    return [
        (next(given) if bits & 2 else None, next(given) if bits & 1 else None) for bits in shape
    ]


@special("subscript")
def subscript(
    udfs: UdfRegistry, container: int, element: int, is_slice: bool, shape: tuple[int, ...]
) -> Callable[..., Any]:
    if udfs.catalog.types.io(container).name == "jsonb":
        from pgemu.executor.jsonb_subscripting import jsonb_subscript

        return lambda base, *keys: jsonb_subscript(base, keys)
    if udfs.catalog.types.io(container).name == "hstore":
        from pgemu.types.hstore import hstore_subscript

        return lambda base, *keys: hstore_subscript(base, keys)
    fixed = udfs.catalog.types.io(container).name
    if fixed in FIXED_LENGTH:
        if is_slice:
            raise fixed_slice()
        return lambda base, *keys: None if base is None else fixed_get_element(fixed, base, keys)
    blob = udfs.catalog.types.io(element).storage == "blob"

    def call(base: Any, *values: Any) -> Any:
        if base is None or None in values:
            return None
        bounds = _bounds(shape, values)
        if is_slice:
            return array_get_slice(base, bounds)
        found = array_get_element(base, [upper for _, upper in bounds])
        return bytes.fromhex(found) if blob and found is not None else found

    return call


@special("subscript_assign")
def subscript_assign(
    udfs: UdfRegistry, container: int, element: int, is_slice: bool, shape: tuple[int, ...]
) -> Callable[..., Any]:
    if udfs.catalog.types.io(container).name == "jsonb":
        from pgemu.executor.jsonb_subscripting import jsonb_subscript_assign

        return lambda base, new, *keys: jsonb_subscript_assign(base, keys, new)
    if udfs.catalog.types.io(container).name == "hstore":
        from pgemu.types.hstore import hstore_subscript_assign

        return lambda base, new, *keys: hstore_subscript_assign(base, keys, new)
    fixed = udfs.catalog.types.io(container).name
    if fixed in FIXED_LENGTH:
        if is_slice:
            raise fixed_slice()
        return lambda base, new, *keys: fixed_set_element(fixed, base, keys, new)
    blob = udfs.catalog.types.io(element).storage == "blob"

    def call(base: Any, new: Any, *values: Any) -> Any:
        if None in values:
            raise PgError("22004", "array subscript in assignment must not be null")
        bounds = _bounds(shape, values)
        if is_slice:
            return array_set_slice(base, bounds, new)
        if blob and new is not None:
            new = new.hex()
        return array_set_element(base, [upper for _, upper in bounds], new)

    return call


@special("row_count", deterministic=False)
def row_count(udfs: UdfRegistry, what: str) -> Callable[..., Any]:
    code = (
        INVALID_ROW_COUNT_IN_LIMIT_CLAUSE
        if what == "LIMIT"
        else INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE
    )
    absent = -1 if what == "LIMIT" else 0

    def call(value: Any) -> int:
        if value is None:
            return absent
        if value < 0:
            raise PgError(code, f"{what} must not be negative")
        return int(value)

    return call


@special("tablesample", deterministic=False)
def tablesample(udfs: UdfRegistry, method: str) -> Callable[..., Any]:
    """BERNOULLI and SYSTEM choose as PostgreSQL does, by a hash of the row's (or its page's)
    address and the seed; without REPEATABLE any choice is as good."""
    generator = random.Random()

    def call(rid: Any, percent: Any, *seeds: Any) -> int:
        if percent is None:
            raise PgError("2202H", "TABLESAMPLE parameter cannot be null")
        if percent == "NaN" or not 0 <= percent <= 100:
            raise PgError("2202H", "sample percentage must be between 0 and 100")
        if not seeds:
            return int(generator.random() * 100 < percent)
        if seeds[0] is None:
            raise PgError("2202G", "TABLESAMPLE REPEATABLE parameter cannot be null")
        seed = functions["hashfloat8(float8)"].body(seeds[0]) & 0xFFFFFFFF
        page, row = (rid - 1) // ROWS_PER_PAGE, (rid - 1) % ROWS_PER_PAGE + 1
        if method == "bernoulli":
            data = struct.pack("<III", page, row, seed)
        else:
            data = struct.pack("<II", page, seed)
        return int(hash_any(data) & 0xFFFFFFFF < round(2**32 * percent / 100))

    return call


@special("noted", deterministic=False)
def noted(udfs: UdfRegistry, *place: int) -> Callable[..., Any]:
    """With an argument: notes and returns it; without: the last one noted (the columns of a row
    are computed from left to right)."""
    last: list[Any] = [-1]

    def call(*value: Any) -> Any:
        if value:
            last[0] = value[0]
        return last[0]

    return call


@special("note_volatile_case", deterministic=False)
def note_volatile_case(udfs: UdfRegistry) -> Callable[..., Any]:
    return lambda: None


def single_row(udfs: UdfRegistry) -> Callable[[], Any]:
    """The value of a sub-select that may have one row at most."""

    def step(seen: list[Any], value: Any) -> None:
        if seen:
            raise PgError(
                CARDINALITY_VIOLATION,
                "more than one row returned by a subquery used as an expression",
            )
        seen.append(value)

    return lambda: ([], step, lambda seen: seen[0] if seen else None)


def array_sublink(udfs: UdfRegistry, element_type: int) -> Callable[[], Any]:
    """ARRAY(SELECT ...): of arrays it makes an array of one more dimension."""
    types = udfs.catalog.types
    of_arrays = types.element_type(element_type) != 0
    blob = types.io(element_type).storage == "blob"

    def step(items: list[Any], value: Any) -> None:
        items.append(value.hex() if blob and value is not None else value)

    if of_arrays:
        return lambda: ([], _accumulate_array, _accumulated)
    return lambda: ([], step, lambda items: dump_array(items))


def _accumulate_array(items: list[Any], value: Any) -> None:
    """accumArrayResultArr; the first item is the lower bounds that all share."""
    if value is None:
        raise PgError("22004", "cannot accumulate null arrays")
    elements, lower = load_array(value)
    if not elements:
        raise PgError("2202E", "cannot accumulate empty arrays")
    if not items:
        items.append(lower)
    elif items[0] != lower or dimensions(items[1]) != dimensions(elements):
        raise PgError("2202E", "cannot accumulate arrays of different dimensionality")
    items.append(elements)


def _accumulated(items: list[Any]) -> str:
    return dump_array(items[1:], [1, *items[0]]) if items else "[]"


SPECIAL_AGGREGATES["single_row"] = single_row
SPECIAL_AGGREGATES["array_sublink"] = array_sublink
__all__ = ["FEATURE_NOT_SUPPORTED", "SPECIALS", "SPECIAL_AGGREGATES", "PgClass", "Value"]


@special("empty_set")
def empty_set(udfs: UdfRegistry, oid: int, info: TypeInfo) -> Callable[..., Any]:
    """An ordered-set aggregate of no rows."""

    def call(*direct: Any) -> Any:
        binding = udfs.aggregate_binding(udfs.catalog.get(PgProc, oid=oid), info)
        state = state_maker(udfs, binding, info)()
        state.direct(*direct)
        return state.final()

    return call
