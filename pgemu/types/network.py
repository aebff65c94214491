"""inet, cidr, macaddr and macaddr8: I/O and order (PostgreSQL: utils/adt/network.c, mac.c).

Storage: inet and cidr are their canonical text with the collation inet_ops; macaddr is a BLOB.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pgemu.errors import INVALID_TEXT_REPRESENTATION, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.integers import check_length

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def split_inet(value: str) -> tuple[Address, int]:
    """(address, prefix length) of a storage value."""
    host, _, bits = value.partition("/")
    address = ipaddress.ip_address(host)
    return address, int(bits) if bits else address.max_prefixlen


def address_text(address: Address) -> str:
    """IPv6 addresses that hold an IPv4 one show it dotted."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)


def join_inet(address: Address, bits: int, *, always: bool = False) -> str:
    text = address_text(address)
    return f"{text}/{bits}" if always or bits != address.max_prefixlen else text


def inet_key(value: str) -> tuple[int, int, int, int]:
    """network_cmp_internal: family, network bits, prefix length, whole address."""
    address, bits = split_inet(value)
    number, size = int(address), address.max_prefixlen
    return address.version, number >> (size - bits) << (size - bits), bits, number


def compare_inet(a: str, b: str) -> int:
    x, y = inet_key(a), inet_key(b)
    if x[0] == y[0]:
        # Common bits first: the shorter prefix decides how many.
        size = 32 if x[0] == 4 else 128
        common = size - min(x[2], y[2])
        first, second = x[3] >> common, y[3] >> common
        if first != second:
            return 1 if first > second else -1
        x, y = (0, 0, x[2], x[3]), (0, 0, y[2], y[3])
    return (x > y) - (x < y)


class InetType(BaseType):
    name = "inet"
    collation = "inet_ops"

    def compare(self, a: Any, b: Any) -> int:
        return compare_inet(a, b)

    def hash_key(self, value: Any) -> Any:
        return inet_key(value)

    def bad(self, text: str) -> PgError:
        return PgError(
            INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {self.name}: "{text}"'
        )

    def parse(self, text: str) -> tuple[Address, int]:
        host, slash, bits = text.partition("/")
        if self.name == "cidr" and re.fullmatch(r"\d+(\.\d+){0,2}\.?", host):
            parts = host.rstrip(".").split(".")
            if not slash:
                bits = str(8 * len(parts))
            host = ".".join(parts + ["0"] * (4 - len(parts)))
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise self.bad(text) from None
        if not bits:
            if slash:
                raise self.bad(text)
            return address, address.max_prefixlen
        if not bits.isdigit() or int(bits) > address.max_prefixlen:
            raise self.bad(text)
        return address, int(bits)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return join_inet(*self.parse(text))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        address, bits = split_inet(value)
        family = 2 if address.version == 4 else 3
        packed = address.packed
        return bytes((family, bits, self.name == "cidr", len(packed))) + packed

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        address = ipaddress.ip_address(bytes(data[4:]))
        return join_inet(address, data[1], always=self.name == "cidr")


class CidrType(InetType):
    name = "cidr"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        address, bits = self.parse(text)
        if int(address) & ((1 << (address.max_prefixlen - bits)) - 1):
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                f'invalid cidr value: "{text}"',
                detail="Value has bits set to right of mask.",
            )
        return join_inet(address, bits, always=True)


class MacType(BaseType):
    storage = "blob"

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        body = text.strip()
        parts = re.split("[:-]", body)
        if len(parts) in (6, 8):
            digits = "".join(p.zfill(2) for p in parts)
        else:
            digits = re.sub("[:.-]", "", body)
        if self.size == 8 and len(digits) == 12:
            digits = digits[:6] + "fffe" + digits[6:]
        if len(digits) != 2 * self.size or not re.fullmatch("[0-9a-fA-F]+", digits):
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {self.name}: "{text}"'
            )
        return bytes.fromhex(digits)

    def output(self, value: Any, ctx: CallContext) -> str:
        return bytes(value).hex(":")

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, self.size)
        return bytes(data)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return bytes(value)


register_type(InetType(), CidrType(), MacType("macaddr", 6), MacType("macaddr8", 8))
bind_comparisons("macaddr_", "macaddr,macaddr", cmp="macaddr_cmp")
bind_comparisons("macaddr8_", "macaddr8,macaddr8", cmp="macaddr8_cmp")
bind_comparisons(
    "network_",
    "inet,inet",
    compare_inet,
    larger="network_larger",
    smaller="network_smaller",
    cmp="network_cmp",
)


def network_of(value: str) -> tuple[Address, int]:
    address, bits = split_inet(value)
    host_bits = address.max_prefixlen - bits
    return type(address)(int(address) >> host_bits << host_bits), bits


pg_function("host(inet)")(lambda a: a.partition("/")[0])
pg_function("text(inet)")(lambda a: join_inet(*split_inet(a), always=True))
pg_function("masklen(inet)")(lambda a: split_inet(a)[1])
pg_function("family(inet)")(lambda a: split_inet(a)[0].version)
pg_function("network(inet)")(lambda a: join_inet(*network_of(a), always=True))
pg_function("cidr(inet)")(lambda a: join_inet(*network_of(a), always=True))
pg_function("abbrev(inet)")(lambda a: a)


@pg_function("broadcast(inet)")
def broadcast(value: str) -> str:
    address, bits = split_inet(value)
    host = (1 << (address.max_prefixlen - bits)) - 1
    return join_inet(type(address)(int(address) | host), bits)


@pg_function("netmask(inet)")
def netmask(value: str) -> str:
    address, bits = split_inet(value)
    size = address.max_prefixlen
    return str(type(address)(((1 << bits) - 1) << (size - bits)))


@pg_function("hostmask(inet)")
def hostmask(value: str) -> str:
    address, bits = split_inet(value)
    return str(type(address)((1 << (address.max_prefixlen - bits)) - 1))


def contains(a: str, b: str) -> bool | None:
    """Is b's network within a's?  None: they are the same network."""
    (x, bits), (y, other) = split_inet(a), split_inet(b)
    if x.version != y.version or bits > other:
        return False
    shift = x.max_prefixlen - bits
    if int(x) >> shift != int(y) >> shift:
        return False
    return None if bits == other else True


pg_function("network_sup(inet,inet)")(lambda a, b: contains(a, b) is True)
pg_function("network_supeq(inet,inet)")(lambda a, b: contains(a, b) is not False)
pg_function("network_sub(inet,inet)")(lambda a, b: contains(b, a) is True)
pg_function("network_subeq(inet,inet)")(lambda a, b: contains(b, a) is not False)
pg_function("network_overlap(inet,inet)")(
    lambda a, b: contains(a, b) is not False or contains(b, a) is not False
)


@pg_function("set_masklen(inet,int4)")
def inet_set_masklen(value: str, bits: int) -> str:
    address, _ = split_inet(value)
    if bits == -1:
        bits = address.max_prefixlen
    if not 0 <= bits <= address.max_prefixlen:
        raise PgError("22023", f"invalid mask length: {bits}")
    return join_inet(address, bits)
