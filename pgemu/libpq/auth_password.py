"""The methods that ask the client for a password: password, md5, scram-sha-256.

Counterpart: CheckPasswordAuth, CheckMD5Auth and CheckPWChallengeAuth of PostgreSQL's auth.c.
Apart from auth.py because a server that trusts its clients never loads it.
"""

from __future__ import annotations

import secrets

from pgemu.errors import INVALID_PASSWORD, PROTOCOL_VIOLATION, PgError
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
from pgemu.libpq.pqcomm import Connection
from pgemu_protocol.backend import (
    AuthenticationCleartextPassword,
    AuthenticationMD5Password,
    AuthenticationSASL,
    AuthenticationSASLContinue,
    AuthenticationSASLFinal,
)
from pgemu_protocol.frontend import PasswordMessage, SASLInitialResponse
from pgemu_protocol.message import Message


def check_password(
    connection: Connection, method: str, user: str, shadow: str | None, mock_nonce: bytes
) -> bool:
    """Whether the client knows the password; shadow: the stored one, None: there is none."""
    if method == "password":
        return _password_auth(connection, user, shadow)
    if method == "md5" and shadow is not None and get_password_type(shadow) == "md5":
        return _md5_auth(connection, shadow)
    # As PostgreSQL does, the method md5 falls back to SCRAM for users without an MD5 hash.
    return _scram_auth(connection, user, shadow, mock_nonce)


def _fatal(sqlstate: str, message: str) -> PgError:
    return PgError(sqlstate, message, severity="FATAL")


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
