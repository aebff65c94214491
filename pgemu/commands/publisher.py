"""Connecting to the publisher of a subscription: connection strings and the first packets (the
part of libpq that PostgreSQL's libpqwalreceiver.c shows of itself).

A connection is tried for real, so its failures are those a user would see; a publisher that
answers cannot be used, because nothing here applies changes.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from typing import Any
from urllib.parse import unquote

from pgemu.errors import CONNECTION_FAILURE, FEATURE_NOT_SUPPORTED, SYNTAX_ERROR, PgError

_KEYWORDS = frozenset(
    word
    for line in (
        "service user password passfile channel_binding connect_timeout dbname host hostaddr port",
        "client_encoding options application_name fallback_application_name keepalives authtype",
        "keepalives_idle keepalives_interval keepalives_count tcp_user_timeout sslmode sslcert",
        "sslcompression sslkey sslpassword sslrootcert sslcrl sslcrldir sslsni requirepeer",
        "ssl_min_protocol_version ssl_max_protocol_version gssencmode krbsrvname gsslib",
        "replication target_session_attrs",
    )
    for word in line.split()
)
_URI = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/?]*))?@)?"
    r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:/?]*))(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<dbname>[^?]*))?(?:\?(?P<rest>.*))?"
)
_SOCKET_FOLDER = "/var/run/postgresql"
_TIMEOUT = 10.0


def _syntax(message: str) -> PgError:
    # libpq ends these messages with a newline, which PostgreSQL keeps
    return PgError(SYNTAX_ERROR, f"invalid connection string syntax: {message}\n")


def parse_conninfo(text: str) -> dict[str, str]:
    """walrcv_check_conninfo: the options of a connection string or URI."""
    if text.startswith(("postgresql://", "postgres://")):
        return _parse_uri(text)
    found: dict[str, str] = {}
    position, end = 0, len(text)
    while True:
        while position < end and text[position].isspace():
            position += 1
        if position == end:
            return found
        start = position
        while position < end and text[position] != "=" and not text[position].isspace():
            position += 1
        name = text[start:position]
        while position < end and text[position].isspace():
            position += 1
        if position == end or text[position] != "=":
            raise _syntax(f'missing "=" after "{name}" in connection info string')
        position += 1
        while position < end and text[position].isspace():
            position += 1
        value, position = _value(text, position)
        if name not in _KEYWORDS:
            raise _syntax(f'invalid connection option "{name}"')
        found[name] = value


def _value(text: str, position: int) -> tuple[str, int]:
    """A plain or quoted value with backslash escapes."""
    quoted = text[position : position + 1] == "'"
    position += quoted
    out: list[str] = []
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
            char = text[position : position + 1]
        elif quoted and char == "'":
            return "".join(out), position + 1
        elif not quoted and char.isspace():
            return "".join(out), position
        out.append(char)
        position += 1
    if quoted:
        raise _syntax("unterminated quoted string in connection info string")
    return "".join(out), position


def _parse_uri(text: str) -> dict[str, str]:
    matched = _URI.fullmatch(text)
    if matched is None:
        raise _syntax(f'unexpected character in URI: "{text}"')
    parts = {k: unquote(v) for k, v in matched.groupdict().items() if v and k != "rest"}
    if "v6" in parts:
        parts["host"] = parts.pop("v6")
    for item in (matched["rest"] or "").split("&") if matched["rest"] else ():
        name, equals, value = item.partition("=")
        if not equals:
            raise _syntax(f'missing key/value separator "=" in URI query parameter: "{name}"')
        if unquote(name) not in _KEYWORDS:
            raise _syntax(f'invalid URI query parameter: "{name}"')
        parts[unquote(name)] = unquote(value)
    return parts


def connect_publisher(session: Any, conninfo: str) -> None:
    """Try to connect for replication; always raises: 08006 with libpq's words, or 0A000."""
    error = connection_error(session, conninfo)
    if error is not None:
        raise PgError(CONNECTION_FAILURE, f"could not connect to the publisher: {error}")
    raise PgError(FEATURE_NOT_SUPPORTED, "subscriptions that receive changes are not supported")


def connection_error(session: Any, conninfo: str) -> str | None:
    """What libpq says when the connection cannot be had; None: the publisher has let us in."""
    options = parse_conninfo(conninfo)
    text = options.get("port") or "5432"
    if re.fullmatch(r"\s*[-+]?\d+\s*", text) is None:
        return f'invalid integer value "{text}" for connection option "port"'
    port = int(text)
    if not 1 <= port <= 65535:
        return f'invalid port number: "{text}"'
    host = options.get("hostaddr") or options.get("host") or _SOCKET_FOLDER
    is_path = host.startswith(("/", "@"))
    if is_path:
        where = f'on socket "{host}/.s.PGSQL.{port}"'
        hint = "Is the server running locally and accepting connections on that socket?"
        family, address = socket.AF_UNIX, f"{host}/.s.PGSQL.{port}"
    else:
        try:
            family, *_rest, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except socket.gaierror as error:
            return f'could not translate host name "{host}" to address: {error.strerror}'
        numeric = "" if host == found[0] else f" ({found[0]})"
        where = f'at "{host}"{numeric}, port {port}'
        hint = "Is the server running on that host and accepting TCP/IP connections?"
        address = found  # type: ignore[assignment]
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(float(options.get("connect_timeout") or _TIMEOUT))
        try:
            sock.connect(address)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            return f"connection to server {where} failed: {reason}\n\t{hint}"
        refused = _start_up(sock, options, session)
    return None if refused is None else f"connection to server {where} failed: {refused}"


def _start_up(sock: socket.socket, options: dict[str, str], session: Any) -> str | None:
    """The start-up packet and what is answered up to ReadyForQuery; None: we are in."""
    user = options.get("user") or session.ctx.session_user
    fields = ["user", user, "database", options.get("dbname") or user, "replication", "database"]
    body = b"".join(f.encode() + b"\0" for f in fields) + b"\0"
    try:
        sock.sendall(struct.pack(">ii", len(body) + 8, 196608) + body)
        while True:
            head = _receive(sock, 5)
            kind, length = head[:1], struct.unpack(">i", head[1:])[0]
            payload = _receive(sock, length - 4)
            is_request = kind == b"R" and struct.unpack(">i", payload[:4])[0] != 0
            if kind in b"EZ" or is_request:
                break
    except OSError as error:
        return str(error.strerror or error)
    if kind == b"E":
        parts = {f[:1]: f[1:] for f in payload.split(b"\0") if f}
        severity = parts.get(b"S", b"FATAL").decode()
        return f"{severity}:  {parts.get(b'M', b'').decode(errors='replace')}"
    if is_request and "password" not in options:
        return "fe_sendauth: no password supplied"
    return None


def _receive(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise OSError(None, "server closed the connection unexpectedly")
        data += piece
    return data
