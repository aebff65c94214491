"""inet, cidr, macaddr and macaddr8: I/O and order (PostgreSQL: utils/adt/network.c, mac.c).

Storage: inet and cidr are their canonical text with the collation inet_ops; macaddr is a BLOB.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pgemu.errors import (
    INVALID_BINARY_REPRESENTATION,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.pqformat import Message

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def split_inet(value: str) -> tuple[Address, int]:
    """(address, prefix length) of a storage value."""
    host, _, bits = value.partition("/")
    address = ipaddress.ip_address(host)
    return address, int(bits) if bits else address.max_prefixlen


def address_text(address: Address) -> str:
    """IPv6 addresses whose first 96 bits are zero, or hold a mapped IPv4, end dotted."""
    number = int(address)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if number >> 32 == 0xFFFF:
        return f"::ffff:{ipaddress.IPv4Address(number & 0xFFFFFFFF)}"
    if number >> 32 == 0 and number >> 16:
        return f"::{ipaddress.IPv4Address(number)}"
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


INET4 = re.compile(r"([0-9]+(?:\.[0-9]+){0,3}\.?)(?:/([0-9]+))?")
CIDR4 = re.compile(r"(?:0[xX]([0-9a-fA-F]+)|([0-9]+(?:\.[0-9]+){0,3}))(?:/([0-9]+))?")
BITS6 = re.compile("0|[1-9][0-9]*")


def from_octets(octets: list[int]) -> Address:
    return ipaddress.IPv4Address(bytes((octets + [0] * 4)[:4]))


def parse_ipv6(text: str) -> tuple[Address, int] | None:
    host, slash, bits = text.partition("/")
    if "%" in host or (slash and not BITS6.fullmatch(bits)) or int(bits or 0) > 128:
        return None
    try:
        return ipaddress.IPv6Address(host), int(bits) if slash else 128
    except ValueError:
        return None


def class_bits(octets: list[int]) -> int:
    """The prefix length of an IPv4 network written without one: its class, or more if more
    octets are written."""
    limits = ((240, 32), (224, 8), (192, 24), (128, 16), (0, 8))
    bits = next(size for least, size in limits if octets[0] >= least)
    bits = max(bits, 8 * len(octets))
    return 4 if bits == 8 and octets[0] == 224 else bits


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
        found = parse_ipv6(text) if ":" in text else self.parse_ipv4(text)
        if found is None:
            raise self.bad(text)
        return found

    def parse_ipv4(self, text: str) -> tuple[Address, int] | None:
        """inet_net_pton_ipv4: missing octets are zero if a prefix length is given."""
        match = INET4.fullmatch(text)
        if match is None:
            return None
        octets = [int(part) for part in match[1].rstrip(".").split(".")]
        if match[2] is not None:
            bits = int(match[2])
        elif len(octets) == 4:
            bits = 32
        else:
            return None
        if max(octets) > 255 or bits > 32 or bits // 8 > len(octets):
            return None
        return from_octets(octets), bits

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return join_inet(*self.parse(text))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        address, bits = split_inet(value)
        family = 2 if address.version == 4 else 3
        packed = address.packed
        return bytes((family, bits, self.name == "cidr", len(packed))) + packed

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        family, size = message.byte(), 4
        if family not in (2, 3):
            raise self.invalid_external("address family in ")
        bits = message.byte()
        if family == 3:
            size = 16
        if bits > 8 * size:
            raise self.invalid_external("bits in ")
        message.byte()
        if message.byte() != size:
            raise self.invalid_external("length in ")
        address = ipaddress.ip_address(bytes(message.byte() for _ in range(size)))
        if self.name == "cidr" and int(address) & ((1 << (8 * size - bits)) - 1):
            error = self.invalid_external("")
            error.detail = "Value has bits set to right of mask."
            raise error
        message.end()
        return join_inet(address, bits, always=self.name == "cidr")

    def output(self, value: Any, ctx: CallContext) -> str:
        """A cidr that has become an inet is still stored with its length."""
        text = str(value)
        if self.name == "cidr":
            return text
        return text.removesuffix("/128" if ":" in text else "/32")

    def invalid_external(self, what: str) -> PgError:
        return PgError(INVALID_BINARY_REPRESENTATION, f'invalid {what}external "{self.name}" value')


class CidrType(InetType):
    name = "cidr"

    def parse_ipv4(self, text: str) -> tuple[Address, int] | None:
        """inet_cidr_pton_ipv4: also hexadecimal, and networks by class."""
        match = CIDR4.fullmatch(text)
        if match is None:
            return None
        if match[1] is not None:
            octets = list(bytes.fromhex(match[1] + "0" * (len(match[1]) % 2)))
        else:
            octets = [int(part) for part in match[2].split(".")]
        if max(octets) > 255 or len(octets) > 4:
            return None
        bits = int(match[3]) if match[3] is not None else class_bits(octets)
        return (from_octets(octets), bits) if bits <= 32 else None

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        address, bits = self.parse(text)
        if int(address) & ((1 << (address.max_prefixlen - bits)) - 1):
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                f'invalid cidr value: "{text}"',
                detail="Value has bits set to right of mask.",
            )
        return join_inet(address, bits, always=True)


HEX = r"\s*(?:0[xX])?([0-9a-fA-F]+)"
PAIR = r"\s*([0-9a-fA-F]{1,2}+)"
MAC_FORMS = [
    re.compile(form + r"\s*")
    for form in (
        ":".join([HEX] * 6),
        "-".join([HEX] * 6),
        f"{PAIR * 3}:{PAIR * 3}",
        f"{PAIR * 3}-{PAIR * 3}",
        rf"{PAIR * 2}\.{PAIR * 2}\.{PAIR * 2}",
        f"{PAIR * 2}-{PAIR * 2}-{PAIR * 2}",
        PAIR * 6,
    )
]
SPACES = re.compile(r"[ \t\n\v\f\r]*")
HEX_PAIR = re.compile("[0-9a-fA-F]{2}")


def macaddr_octets(text: str) -> list[int] | None:
    """The spellings of macaddr_in."""
    for form in MAC_FORMS:
        match = form.fullmatch(text)
        if match is not None:
            return [int(group, 16) for group in match.groups()]
    return None


def macaddr8_octets(text: str) -> list[int] | None:
    """Pairs of digits with one kind of separator or none; six bytes get ff:fe in the middle."""
    body = SPACES.sub("", text, count=1) if text[:1].isspace() else text
    octets: list[int] = []
    spacer = ""
    at = 0
    while at + 1 < len(body):
        match = HEX_PAIR.match(body, at)
        if match is None or len(octets) == 8:
            return None
        octets.append(int(match[0], 16))
        at += 2
        if body[at : at + 1] in (":", "-", "."):
            if spacer and spacer != body[at]:
                return None
            spacer = body[at]
            at += 1
        if len(octets) in (6, 8) and not body[at:].strip(" \t\n\v\f\r"):
            at = len(body)
    if len(octets) == 6:
        octets[3:3] = [0xFF, 0xFE]
    return octets if len(octets) == 8 and at >= len(body) else None


class MacType(BaseType):
    storage = "blob"

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        octets = macaddr_octets(text) if self.size == 6 else macaddr8_octets(text)
        if octets is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {self.name}: "{text}"'
            )
        if max(octets) > 255:
            raise PgError(
                NUMERIC_VALUE_OUT_OF_RANGE,
                f'invalid octet value in "{self.name}" value: "{text}"',
            )
        return bytes(octets)

    def output(self, value: Any, ctx: CallContext) -> str:
        return bytes(value).hex(":")

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        octets = [message.byte() for _ in range(min(self.size, max(message.left, 6)))]
        if len(octets) == 6 < self.size:
            octets[3:3] = (0xFF, 0xFE)
        elif len(octets) < self.size:
            message.byte()
        message.end()
        return bytes(octets)

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


def abbreviated_ipv6(number: int, bits: int) -> str:
    """inet_cidr_ntop_ipv6: the words the prefix covers, at least two."""
    if bits == 0:
        return "::"
    if bits == 128 and (number >> 32 == 0xFFFF or (number >> 32 == 0 and number >> 16)):
        return address_text(ipaddress.IPv6Address(number))
    words = max(2, -(-bits // 16))
    parts = [f"{number >> (112 - 16 * i) & 0xFFFF:x}" for i in range(words)]
    text = ":".join(parts)
    runs = sorted(re.finditer(r"(?<![0-9a-f])0(?::0)*(?![0-9a-f])", text), key=lambda m: m.start())
    if not runs:
        return text
    longest = max(runs, key=lambda m: m.end() - m.start())
    before, after = text[: longest.start()].rstrip(":"), text[longest.end() :].lstrip(":")
    return f"{before}::{after}"


@pg_function("abbrev(cidr)")
def cidr_abbrev(value: str) -> str:
    """inet_cidr_ntop: no more octets than the prefix covers."""
    address, bits = split_inet(value)
    if address.version == 6:
        return f"{abbreviated_ipv6(int(address), bits)}/{bits}"
    octets = str(address).split(".")[: max(1, -(-bits // 8))]
    return f"{'.'.join(octets)}/{bits}"


@pg_function("broadcast(inet)")
def broadcast(value: str) -> str:
    address, bits = split_inet(value)
    host = (1 << (address.max_prefixlen - bits)) - 1
    return join_inet(type(address)(int(address) | host), bits)


@pg_function("netmask(inet)")
def netmask(value: str) -> str:
    address, bits = split_inet(value)
    size = address.max_prefixlen
    return address_text(type(address)(((1 << bits) - 1) << (size - bits)))


@pg_function("hostmask(inet)")
def hostmask(value: str) -> str:
    address, bits = split_inet(value)
    return address_text(type(address)((1 << (address.max_prefixlen - bits)) - 1))


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
