"""Arithmetic of inet, merging networks, bits of macaddr (PostgreSQL: utils/adt/network.c, mac.c,
mac8.c)."""

from __future__ import annotations

import operator
from collections.abc import Callable

from pgemu.errors import INVALID_PARAMETER_VALUE, NUMERIC_VALUE_OUT_OF_RANGE, PgError
from pgemu.fmgr import pg_function
from pgemu.types.network import Address, join_inet, split_inet

INT8_MAX = (1 << 63) - 1


def same_family(a: str, b: str, what: str) -> tuple[Address, int, Address, int]:
    (x, x_bits), (y, y_bits) = split_inet(a), split_inet(b)
    if x.version != y.version:
        raise PgError(INVALID_PARAMETER_VALUE, f"cannot {what} inet values of different sizes")
    return x, x_bits, y, y_bits


@pg_function("inetnot(inet)")
def inetnot(value: str) -> str:
    address, bits = split_inet(value)
    mask = (1 << address.max_prefixlen) - 1
    return join_inet(type(address)(int(address) ^ mask), bits)


def bind_bitwise(name: str, verb: str, combine: Callable[[int, int], int]) -> None:
    def body(a: str, b: str) -> str:
        x, x_bits, y, y_bits = same_family(a, b, verb)
        return join_inet(type(x)(combine(int(x), int(y))), max(x_bits, y_bits))

    pg_function(f"{name}(inet,inet)")(body)


bind_bitwise("inetand", "AND", operator.and_)
bind_bitwise("inetor", "OR", operator.or_)


def shifted(value: str, by: int) -> str:
    address, bits = split_inet(value)
    number = int(address) + by
    if not 0 <= number < 1 << address.max_prefixlen:
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
    return join_inet(type(address)(number), bits)


pg_function("inetpl(inet,int8)")(shifted)
# the most negative number is its own negation
pg_function("inetmi_int8(inet,int8)")(lambda a, b: shifted(a, b if b < -INT8_MAX else -b))


@pg_function("inetmi(inet,inet)")
def inetmi(a: str, b: str) -> int:
    x, _, y, _ = same_family(a, b, "subtract")
    difference = int(x) - int(y)
    if not -INT8_MAX - 1 <= difference <= INT8_MAX:
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
    return difference


@pg_function("inet_same_family(inet,inet)")
def inet_same_family(a: str, b: str) -> bool:
    return (":" in a) == (":" in b)


@pg_function("inet_merge(inet,inet)")
def inet_merge(a: str, b: str) -> str:
    """The smallest network that includes both."""
    (x, x_bits), (y, y_bits) = split_inet(a), split_inet(b)
    if x.version != y.version:
        raise PgError(INVALID_PARAMETER_VALUE, "cannot merge addresses from different families")
    size = x.max_prefixlen
    common = min(x_bits, y_bits, size - (int(x) ^ int(y)).bit_length())
    shift = size - common
    return join_inet(type(x)(int(x) >> shift << shift), common, always=True)


@pg_function("set_masklen(cidr,int4)")
def cidr_set_masklen(value: str, bits: int) -> str:
    address, _ = split_inet(value)
    size = address.max_prefixlen
    if bits == -1:
        bits = size
    if not 0 <= bits <= size:
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid mask length: {bits}")
    shift = size - bits
    return join_inet(type(address)(int(address) >> shift << shift), bits, always=True)


def bind_mac_bits(name: str) -> None:
    pg_function(f"{name}_not({name})")(lambda a: bytes(x ^ 0xFF for x in a))
    pg_function(f"{name}_and({name},{name})")(
        lambda a, b: bytes(x & y for x, y in zip(a, b, strict=True))
    )
    pg_function(f"{name}_or({name},{name})")(
        lambda a, b: bytes(x | y for x, y in zip(a, b, strict=True))
    )
    pg_function(f"trunc({name})")(lambda a: bytes(a[:3]) + bytes(len(a) - 3))


bind_mac_bits("macaddr")
bind_mac_bits("macaddr8")
pg_function("macaddr8(macaddr)")(lambda a: bytes(a[:3]) + b"\xff\xfe" + bytes(a[3:]))
pg_function("macaddr8_set7bit(macaddr8)")(lambda a: bytes((a[0] | 2,)) + bytes(a[1:]))


@pg_function("macaddr(macaddr8)")
def macaddr8tomacaddr(value: bytes) -> bytes:
    if bytes(value[3:5]) != b"\xff\xfe":
        raise PgError(
            NUMERIC_VALUE_OUT_OF_RANGE,
            "macaddr8 data out of range to convert to macaddr",
            hint="Only addresses that have FF and FE as values in the 4th and 5th bytes from "
            "the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from "
            "macaddr8 to macaddr.",
        )
    return bytes(value[:3]) + bytes(value[5:])
