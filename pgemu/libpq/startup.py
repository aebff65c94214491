"""The first packets of a connection, up to the StartupMessage.

Counterpart: ProcessStartupPacket in PostgreSQL's postmaster.c, process_postgres_switches and
pg_split_opts for the option `options`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_AUTHORIZATION_SPECIFICATION,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.libpq.pqcomm import Connection
from pgemu_protocol.hot import (
    CANCEL_REQUEST_CODE,
    NEGOTIATE_GSS_CODE,
    NEGOTIATE_SSL_CODE,
    PROTOCOL_3_0,
    decode_startup,
)
from pgemu_protocol.violation import ProtocolViolation

if TYPE_CHECKING:
    import ssl

    from pgemu_protocol.startup import CancelRequest

NAMEDATALEN = 64
LATEST_PROTOCOL = PROTOCOL_3_0
"""PostgreSQL 15 speaks 3.0 only; a client that asks for more is answered so."""


class UnsupportedProtocol(PgError):
    """A version that pgemu does not speak.  protocol2: the client reads errors of before 7.4."""

    def __init__(self, version: int) -> None:
        major, minor = version >> 16, version & 0xFFFF
        super().__init__(
            FEATURE_NOT_SUPPORTED,
            f"unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.0",
            severity="FATAL",
        )
        self.protocol2 = major < 3


class StartupParams(NamedTuple):
    user: str
    database: str
    settings: tuple[tuple[str, str], ...] = ()
    """What the client sets, in order: the option `options` first, then the others."""
    version: int = PROTOCOL_3_0
    replication: str = "false"


class TlsServer(NamedTuple):
    """A server context and the hash of its certificate for channel binding."""

    context: ssl.SSLContext
    endpoint: bytes | None


def negotiate(connection: Connection, tls: TlsServer | None) -> StartupParams | CancelRequest:
    """Answer SSLRequest and GSSENCRequest until the real first packet has come.

    Raises ProtocolViolation (silent: close without a word), PgError, or ConnectionLost.
    """
    encryption_asked = False
    gss_asked = False
    while True:
        payload = connection.read_startup()
        if len(payload) < 4:
            raise ProtocolViolation("invalid length of startup packet", silent=True)
        code = int.from_bytes(payload[:4], "big")
        if code == CANCEL_REQUEST_CODE:
            return _cancel_request(payload)
        if code == NEGOTIATE_SSL_CODE and not encryption_asked:
            encryption_asked = True
            _answer_ssl(connection, tls)
        elif code == NEGOTIATE_GSS_CODE and not gss_asked:
            gss_asked = True
            connection.write(b"N")
            connection.flush()
            connection.refuse_early_data("GSSAPI encryption")
        elif code >> 16 == LATEST_PROTOCOL >> 16:
            return _startup(connection, code, decode_startup(payload))
        else:
            raise UnsupportedProtocol(code)


def _cancel_request(payload: bytes) -> CancelRequest:
    from pgemu_protocol.startup import CancelRequest, decode_first_packet

    packet = decode_first_packet(payload)
    assert isinstance(packet, CancelRequest)
    return packet


def _answer_ssl(connection: Connection, tls: TlsServer | None) -> None:
    if tls is None or connection.is_local or connection.tls:
        connection.write(b"N")
        connection.flush()
        connection.refuse_early_data("SSL")
        return
    connection.write(b"S")
    connection.flush()
    connection.start_tls(tls.context, tls.endpoint)


def _startup(
    connection: Connection, version: int, sent: tuple[tuple[str, str], ...]
) -> StartupParams:
    options: dict[str, str] = {}
    unknown: list[str] = []
    settings: list[tuple[str, str]] = []
    for name, value in sent:
        if name.startswith("_pq_."):
            unknown.append(name)
        elif name in ("user", "database", "options", "replication"):
            options[name] = value
        else:
            settings.append((name, value))
    _check_replication(options.get("replication", "false"))
    if version > LATEST_PROTOCOL or unknown:
        from pgemu_protocol.backend import NegotiateProtocolVersion

        connection.write(NegotiateProtocolVersion(LATEST_PROTOCOL, tuple(unknown)).encode())
    user = _identifier(options.get("user", ""))
    if not user:
        raise PgError(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "no PostgreSQL user name specified in startup packet",
            severity="FATAL",
        )
    database = _identifier(options.get("database", "")) or user
    return StartupParams(
        user,
        database,
        (*parse_options(options.get("options", "")), *settings),
        min(version, LATEST_PROTOCOL),
    )


def _check_replication(value: str) -> None:
    word = value.lower()
    if word in ("", "0") or "false".startswith(word) or "no".startswith(word) or word == "off":
        return
    if word in ("database", "1", "on") or "true".startswith(word) or "yes".startswith(word):
        raise PgError(
            FEATURE_NOT_SUPPORTED, "replication connections are not supported", severity="FATAL"
        )
    raise PgError(
        INVALID_PARAMETER_VALUE,
        f'invalid value for parameter "replication": "{value}"',
        hint='Valid values are: "false", 0, "true", 1, "database".',
        severity="FATAL",
    )


def _identifier(name: str) -> str:
    return name.encode("utf-8", "surrogateescape")[: NAMEDATALEN - 1].decode("utf-8", "ignore")


_WORD = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)
_SWITCHES = {
    "B": "shared_buffers",
    "F": "fsync",
    "N": "max_connections",
    "S": "work_mem",
    "d": "log_min_messages",
    "e": "datestyle",
    "k": "unix_socket_directories",
    "p": "port",
}


def parse_options(text: str) -> list[tuple[str, str]]:
    """(setting, value) of the switches `-c name=value`, `--name=value` and their kind."""
    words = [re.sub(r"\\(.)", r"\1", word) for word in _WORD.findall(text)]
    made: list[tuple[str, str]] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.startswith("--"):
            made.append(_long_option(word[2:], word))
        elif word == "-F":
            made.append(("fsync", "off"))
        elif word == "-e":
            made.append(("datestyle", "euro"))
        elif word.startswith("-") and (word[1:2] == "c" or word[1:2] in _SWITCHES):
            value = word[2:]
            if not value:
                if at >= len(words):
                    raise _bad_switch(word)
                value = words[at]
                at += 1
            if word[1] == "c":
                made.append(_long_option(value, f"-c {value}"))
            else:
                made.append((_SWITCHES[word[1]], value))
        else:
            raise _bad_switch(word)
    return made


def _long_option(text: str, shown: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise PgError(SYNTAX_ERROR, f"{shown} requires a value", severity="FATAL")
    return name.replace("-", "_"), value


def _bad_switch(word: str) -> PgError:
    return PgError(
        SYNTAX_ERROR,
        f"invalid command-line argument for server process: {word}",
        hint='Try "postgres --help" for more information.',
        severity="FATAL",
    )
