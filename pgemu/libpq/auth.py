"""Client authentication: what pg_hba.conf asks for, and whether the client can give it.

Counterpart: ClientAuthentication in PostgreSQL's auth.c and the checks of the role in
InitializeSessionUserId.  Whether a role exists is told only to those who got past the method.
"""

from __future__ import annotations

import pwd
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from pgemu.errors import (
    INVALID_AUTHORIZATION_SPECIFICATION,
    INVALID_PASSWORD,
    PROTOCOL_VIOLATION,
    PgError,
)
from pgemu.libpq.auth_scram import (
    SCRAM_SHA_256,
    SCRAM_SHA_256_PLUS,
    ScramExchange,
    mock_verifier,
)
from pgemu.libpq.crypt import (
    get_password_type,
    md5_crypt_verify,
    parse_scram_verifier,
    plain_crypt_verify,
    scram_verifier,
)
from pgemu.libpq.hba import Client, HbaLine, IsMember, check_hba
from pgemu.libpq.pqcomm import Connection
from pgemu.libpq.startup import StartupParams
from pgemu_protocol.backend import (
    AuthenticationCleartextPassword,
    AuthenticationMD5Password,
    AuthenticationSASL,
    AuthenticationSASLContinue,
    AuthenticationSASLFinal,
)
from pgemu_protocol.frontend import PasswordMessage, SASLInitialResponse
from pgemu_protocol.hot import AUTHENTICATION_OK
from pgemu_protocol.message import Message


@dataclass(frozen=True, slots=True)
class RoleAuth:
    """What authentication needs of a role.  valid_until: seconds since 1970, None: for ever."""

    name: str
    password: str | None = None
    can_login: bool = True
    valid_until: float | None = None


LookupRole = Callable[[str], RoleAuth | None]

_METHOD_FAILED = {
    "password": "password authentication failed",
    "md5": "password authentication failed",
    "scram-sha-256": "password authentication failed",
    "peer": "Peer authentication failed",
}


def authenticate(
    connection: Connection,
    params: StartupParams,
    hba: tuple[HbaLine, ...],
    lookup_role: LookupRole,
    *,
    mock_nonce: bytes = b"",
    is_member: IsMember | None = None,
) -> RoleAuth:
    """Authenticate the client and give its role; a FATAL PgError if it may not come in.

    mock_nonce: secret bytes of the cluster, for made-up salts.
    """
    peer = connection.peer()
    client = Client(params.user, params.database, peer[0] if peer else None, connection.tls)
    line = check_hba(hba, client, is_member)
    if line is None:
        raise _not_let_in("no pg_hba.conf entry for", client)
    if line.method == "reject":
        raise _not_let_in("pg_hba.conf rejects connection for", client)
    connection.expect_authentication()
    role = lookup_role(params.user)
    if not _passes(connection, line.method, client, role, mock_nonce):
        raise _fatal(
            INVALID_AUTHORIZATION_SPECIFICATION if line.method == "peer" else INVALID_PASSWORD,
            f'{_METHOD_FAILED[line.method]} for user "{params.user}"',
        )
    connection.write(AUTHENTICATION_OK)
    connection.expect_statements()
    if role is None:
        raise _fatal(INVALID_AUTHORIZATION_SPECIFICATION, f'role "{params.user}" does not exist')
    if not role.can_login:
        raise _fatal(
            INVALID_AUTHORIZATION_SPECIFICATION,
            f'role "{params.user}" is not permitted to log in',
        )
    return role


def _fatal(sqlstate: str, message: str) -> PgError:
    return PgError(sqlstate, message, severity="FATAL")


def _not_let_in(what: str, client: Client) -> PgError:
    return _fatal(
        INVALID_AUTHORIZATION_SPECIFICATION,
        f'{what} host "{client.address or "[local]"}", user "{client.user}",'
        f' database "{client.database}", {"SSL encryption" if client.tls else "no encryption"}',
    )


def _passes(
    connection: Connection, method: str, client: Client, role: RoleAuth | None, mock_nonce: bytes
) -> bool:
    shadow = _usable_password(role)
    match method:
        case "trust":
            return True
        case "peer":
            return _peer_name(connection) == client.user
        case "password":
            return _password_auth(connection, client.user, shadow)
        case "md5" if shadow is not None and get_password_type(shadow) == "md5":
            return _md5_auth(connection, shadow)
        case _:
            # As PostgreSQL does, the method md5 falls back to SCRAM for users without an MD5 hash.
            return _scram_auth(connection, client.user, shadow, mock_nonce)


def _usable_password(role: RoleAuth | None) -> str | None:
    if role is None or not role.password:
        return None
    if role.valid_until is not None and role.valid_until < time.time():
        return None
    return role.password


def _peer_name(connection: Connection) -> str | None:
    uid = connection.peer_uid()
    if uid is None:
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _ask(connection: Connection, question: Message) -> bytes:
    """Send an authentication request, give the payload of the answer."""
    connection.write(question.encode())
    connection.flush()
    _, payload = connection.read_message()
    return payload


def _ask_password(connection: Connection, question: Message) -> str:
    payload = _ask(connection, question)
    if payload.find(0) != len(payload) - 1:
        raise _fatal(PROTOCOL_VIOLATION, "invalid password packet size")
    password = PasswordMessage.decode(payload).password
    if not password:
        raise _fatal(INVALID_PASSWORD, "empty password returned by client")
    return password


def _password_auth(connection: Connection, user: str, shadow: str | None) -> bool:
    password = _ask_password(connection, AuthenticationCleartextPassword())
    if shadow is None:
        # Spend the time that a check would.
        plain_crypt_verify(user, scram_verifier("mock"), password)
        return False
    return plain_crypt_verify(user, shadow, password)


def _md5_auth(connection: Connection, shadow: str) -> bool:
    salt = secrets.token_bytes(4)
    answer = _ask_password(connection, AuthenticationMD5Password(salt))
    return md5_crypt_verify(shadow, answer, salt)


def _scram_auth(connection: Connection, user: str, shadow: str | None, mock_nonce: bytes) -> bool:
    mechanisms: tuple[str, ...] = (SCRAM_SHA_256,)
    if connection.tls_endpoint is not None:
        mechanisms = (SCRAM_SHA_256_PLUS, SCRAM_SHA_256)
    initial = SASLInitialResponse.decode(_ask(connection, AuthenticationSASL(mechanisms)))
    if initial.mechanism not in mechanisms:
        raise _fatal(PROTOCOL_VIOLATION, "client selected an invalid SASL authentication mechanism")
    verifier = parse_scram_verifier(shadow) if shadow is not None else None
    exchange = ScramExchange(
        initial.mechanism,
        verifier or mock_verifier(user, mock_nonce),
        connection.tls_endpoint,
        doomed=verifier is None,
    )
    first = initial.response
    if first is None:
        # A client may send its first message apart.
        first = _ask(connection, AuthenticationSASLContinue(b""))
    answer = exchange.final(_ask(connection, AuthenticationSASLContinue(exchange.first(first))))
    if answer is None:
        return False
    connection.write(AuthenticationSASLFinal(answer).encode())
    return True
