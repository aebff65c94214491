"""satisfies_hash_partition (PostgreSQL's partbounds.c)."""

from __future__ import annotations

from functools import partial
from typing import Any

from pgemu.catalog.relcache import try_relation
from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.variadic import variadic_any


def _satisfies(
    quote: str,
    ctx: CallContext,
    info: TypeInfo,
    parent: int | None,
    modulus: int | None,
    remainder: int | None,
    *key: Any,
) -> bool:
    """Do these values belong to the partition with this modulus and remainder?"""
    if parent is None or modulus is None or remainder is None:
        return False
    relation = try_relation(ctx.catalog, parent)
    if relation is None:
        raise PgError("XX000", f"could not open relation with OID {parent}")
    row = relation.partition_key
    if row is None or row.partstrat != "h":
        raise PgError(INVALID_PARAMETER_VALUE, f'"{relation.name}" is not a hash partitioned table')
    what = "remainder for hash partition must be"
    for bad, message in (
        (
            modulus <= 0,
            "modulus for hash partition must be an integer value greater than zero",
        ),
        (remainder < 0, f"{what} an integer value greater than or equal to zero"),
        (remainder >= modulus, f"{what} less than modulus"),
    ):
        if bad:
            raise PgError(INVALID_PARAMETER_VALUE, message)
    table = ctx.session.routing.table(relation)
    if len(key) != len(table.types):
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"number of partitioning columns ({len(table.types)}) does not match number of "
            f"partition keys provided ({len(key)})",
        )
    for number, (wanted, given) in enumerate(zip(table.types, info.arg_types[3:], strict=True), 1):
        if wanted != given:
            names = [f"{quote}{ctx.catalog.type_name(t)}{quote}" for t in (wanted, given)]
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"column {number} of the partition key has type {names[0]}, but supplied value "
                f"is of type {names[1]}",
            )
    return bool(table.row_hash(key) % modulus == remainder)


# by whether the key came as one array: the messages differ
_CHECKS = {
    variadic: variadic_any(3, null_array=False)(partial(_satisfies, '"' if variadic else ""))
    for variadic in (False, True)
}


@pg_function("satisfies_hash_partition(oid, int4, int4, any)", context=True, typed=True)
def satisfies_hash_partition(ctx: CallContext, info: TypeInfo, *args: Any) -> Any:
    return _CHECKS[info.variadic](ctx, info, *args)
