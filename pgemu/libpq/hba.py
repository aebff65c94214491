"""pg_hba.conf: who may connect from where, and how they prove who they are.

Counterpart: PostgreSQL's hba.c.  The first line that fits decides; none fits: refused.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgemu.errors import CONFIG_FILE_ERROR, PgError

METHODS = frozenset({"trust", "reject", "password", "md5", "scram-sha-256", "peer", "ident"})
UNSUPPORTED_METHODS = frozenset({"gss", "sspi", "pam", "bsd", "ldap", "radius", "cert"})
CONNECTION_TYPES = frozenset(
    {"local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"}
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IsMember = Callable[[str, str], bool]
"""(user, role) -> whether the user is a member of the role."""

_TOKEN = re.compile(r'\s*((?:"[^"]*"|[^\s",#])+|,|#.*)')

DEFAULT_HBA = """\
local   all   all                  trust
host    all   all   127.0.0.1/32   trust
host    all   all   ::1/128        trust
"""


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a list.  Quoted: no key word."""

    text: str
    quoted: bool = False

    def is_word(self, word: str) -> bool:
        return not self.quoted and self.text == word


@dataclass(frozen=True, slots=True)
class HbaLine:
    kind: str
    databases: tuple[Name, ...]
    users: tuple[Name, ...]
    address: str
    """'' (local), 'all', 'samehost', 'samenet', a host name, or the text of the network."""
    network: Network | None
    method: str
    options: dict[str, str] = field(default_factory=dict)
    line: int = 0
    text: str = ""
    """The line as it stands in the file."""


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of who connects."""

    user: str
    database: str
    address: str | None
    """None: a Unix socket."""
    tls: bool = False


def load_hba(path: Path) -> tuple[HbaLine, ...]:
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise PgError(
            CONFIG_FILE_ERROR, f'could not open configuration file "{path}": {error.strerror}'
        ) from error
    return parse_hba(text, str(path))


def parse_hba(text: str, file: str = "pg_hba.conf") -> tuple[HbaLine, ...]:
    """The lines of a file; PgError F0000 for the first bad one."""
    return tuple(
        replace(_parse_line(fields, number, file), text=raw) for number, fields, raw in _lines(text)
    )


def hba_rules(path: Path) -> Iterator[tuple[int, HbaLine | str]]:
    """(line number, rule or what is wrong with it) of a file, for pg_hba_file_rules."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for number, fields, _ in _lines(text):
        try:
            yield number, _parse_line(fields, number, str(path))
        except PgError as error:
            yield number, error.message


def ident_mappings(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of pg_ident.conf; fewer than three fields are too few."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for number, fields, _ in _lines(text):
        yield number, [names[0].text for names in fields]


def _lines(text: str) -> Iterator[tuple[int, list[list[Name]], str]]:
    """The lines that have fields, by the number of the first of those that a backslash joins."""
    pending, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first or number
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        fields = _fields(pending + line)
        if fields:
            yield first, fields, pending + line
        pending, first = "", 0


def _fields(line: str) -> list[list[Name]]:
    """Fields of a line, each a list of names that commas join."""
    fields: list[list[Name]] = []
    joined = False
    for matched in _TOKEN.finditer(line):
        token = matched[1]
        if token.startswith("#"):
            break
        if token == ",":
            joined = True
            continue
        name = Name(token.replace('"', ""), token.startswith('"'))
        if joined and fields:
            fields[-1].append(name)
        else:
            fields.append([name])
        joined = False
    return fields


def _bad(message: str, number: int, file: str) -> PgError:
    return PgError(
        CONFIG_FILE_ERROR, message, where=f'line {number} of configuration file "{file}"'
    )


def _parse_line(fields: list[list[Name]], number: int, file: str) -> HbaLine:
    kind = fields[0][0].text
    if kind not in CONNECTION_TYPES:
        raise _bad(f'invalid connection type "{kind}"', number, file)
    if len(fields) < 2:
        raise _bad("end-of-line before database specification", number, file)
    if len(fields) < 3:
        raise _bad("end-of-line before role specification", number, file)
    databases, users = tuple(fields[1]), tuple(fields[2])
    at = 3
    address, network = "", None
    if kind != "local":
        if len(fields) < 4:
            raise _bad("end-of-line before IP address specification", number, file)
        address, network, at = _parse_address(fields, number, file)
    if len(fields) <= at:
        raise _bad("end-of-line before authentication method", number, file)
    method = fields[at][0].text
    if method in UNSUPPORTED_METHODS:
        raise _bad(
            f'invalid authentication method "{method}": not supported by this build', number, file
        )
    if method not in METHODS:
        raise _bad(f'invalid authentication method "{method}"', number, file)
    if method == "peer" and kind != "local":
        raise _bad("peer authentication is only supported on local sockets", number, file)
    if method == "ident":
        if kind != "local":
            raise _bad(
                'invalid authentication method "ident": not supported by this build', number, file
            )
        method = "peer"
    options = {}
    for extra in fields[at + 1 :]:
        name, equals, value = extra[0].text.partition("=")
        if not equals:
            raise _bad(
                f"authentication option not in name=value format: {extra[0].text}", number, file
            )
        options[name] = value
    return HbaLine(kind, databases, users, address, network, method, options, number)


def _parse_address(
    fields: list[list[Name]], number: int, file: str
) -> tuple[str, Network | None, int]:
    """(address, network, index of the method's field)."""
    name = fields[3][0]
    text = name.text
    if any(name.is_word(word) for word in ("all", "samehost", "samenet")):
        return text, None, 4
    try:
        if "/" in text:
            return text, ipaddress.ip_network(text, strict=False), 4
        ipaddress.ip_address(text)
    except ValueError:
        if "/" in text or re.fullmatch(r"[0-9.]+", text):
            raise _bad(f'invalid IP address "{text}"', number, file) from None
        return text, None, 4
    if len(fields) < 5:
        raise _bad("end-of-line before netmask specification", number, file)
    mask = fields[4][0].text
    try:
        length = bin(int(ipaddress.ip_address(mask))).count("1")
        return text, ipaddress.ip_network(f"{text}/{length}", strict=False), 5
    except ValueError:
        raise _bad(f'invalid IP mask "{mask}"', number, file) from None


def check_hba(
    lines: tuple[HbaLine, ...], client: Client, is_member: IsMember | None = None
) -> HbaLine | None:
    """The first line that fits the client."""
    for line in lines:
        if (
            _kind_fits(line, client)
            and _address_fits(line, client)
            and _database_fits(line.databases, client, is_member)
            and _user_fits(line.users, client, is_member)
        ):
            return line
    return None


def _kind_fits(line: HbaLine, client: Client) -> bool:
    if client.address is None:
        return line.kind == "local"
    match line.kind:
        case "host" | "hostnogssenc":
            return True
        case "hostssl":
            return client.tls
        case "hostnossl":
            return not client.tls
    return False


def _address_fits(line: HbaLine, client: Client) -> bool:
    if client.address is None or line.address == "all":
        return True
    address = _address(client.address)
    if line.network is not None:
        return address in line.network
    if line.address in ("samehost", "samenet"):
        # pgemu does not read the interfaces' masks: a "same net" is loopback or one's own host.
        return address.is_loopback or str(address) in _own_addresses()
    if line.address.startswith("."):
        try:
            return socket.gethostbyaddr(client.address)[0].endswith(line.address)
        except OSError:
            return False
    try:
        found = socket.getaddrinfo(line.address, None)
    except OSError:
        return False
    return any(_address(str(entry[4][0])) == address for entry in found)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _own_addresses() -> set[str]:
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()


def _database_fits(names: tuple[Name, ...], client: Client, is_member: IsMember | None) -> bool:
    for name in names:
        if name.is_word("all"):
            return True
        if name.is_word("sameuser"):
            if client.user == client.database:
                return True
        elif name.is_word("samerole") or name.is_word("samegroup"):
            if is_member is not None and is_member(client.user, client.database):
                return True
        elif name.is_word("replication"):
            continue
        elif name.text == client.database:
            return True
    return False


def _user_fits(names: tuple[Name, ...], client: Client, is_member: IsMember | None) -> bool:
    for name in names:
        if name.is_word("all"):
            return True
        if not name.quoted and name.text.startswith("+"):
            if is_member is not None and is_member(client.user, name.text[1:]):
                return True
        elif name.text == client.user:
            return True
    return False
