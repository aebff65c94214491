"""Password verifiers: what pg_authid.rolpassword holds, and how to check against it.

Counterpart: PostgreSQL's crypt.c and scram-common.c.  Forms: `SCRAM-SHA-256$<iterations>:<salt>$
<StoredKey>:<ServerKey>` and `md5<32 hex digits>`.  Comparisons take constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Literal, NamedTuple

SCRAM_ITERATIONS = 4096
SALT_LENGTH = 16

PasswordType = Literal["plaintext", "md5", "scram-sha-256"]

_SCRAM = re.compile(r"SCRAM-SHA-256\$(\d+):([^$:]+)\$([^$:]+):([^$:]+)\Z")
_MD5 = re.compile(r"md5[0-9a-f]{32}\Z")


class ScramVerifier(NamedTuple):
    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes


def get_password_type(shadow: str) -> PasswordType:
    """What a stored (or given) password is."""
    if _MD5.match(shadow):
        return "md5"
    return "plaintext" if parse_scram_verifier(shadow) is None else "scram-sha-256"


def encrypt_password(method: str, role: str, password: str) -> str:
    """What CREATE ROLE ... PASSWORD stores; an encrypted password stays as it is."""
    if get_password_type(password) != "plaintext":
        return password
    return md5_verifier(role, password) if method == "md5" else scram_verifier(password)


def saslprep(password: str) -> bytes:
    """The password normalised by RFC 4013; as it stands where that forbids it."""
    if password.isascii() and password.isprintable():
        return password.encode()
    # Lazily: the tables of RFC 3454 cost the start of every backend otherwise.
    from scramp.utils import ScramException
    from scramp.utils import saslprep as prepare

    try:
        prepared: str = prepare(password)
    except ScramException:
        return password.encode("utf-8", "surrogateescape")
    return prepared.encode()


def scram_keys(password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """(StoredKey, ServerKey) of RFC 5802."""
    salted = hashlib.pbkdf2_hmac("sha256", saslprep(password), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256")


def scram_verifier(
    password: str, salt: bytes | None = None, iterations: int = SCRAM_ITERATIONS
) -> str:
    """The text form of a new verifier."""
    salt = secrets.token_bytes(SALT_LENGTH) if salt is None else salt
    stored, server = scram_keys(password, salt, iterations)
    shown = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{shown[0]}${shown[1]}:{shown[2]}"


def parse_scram_verifier(text: str) -> ScramVerifier | None:
    matched = _SCRAM.match(text)
    if matched is None:
        return None
    try:
        salt, stored, server = (
            base64.b64decode(part, validate=True) for part in matched.groups()[1:]
        )
    except binascii.Error:
        return None
    if len(stored) != 32 or len(server) != 32:
        return None
    return ScramVerifier(int(matched[1]), salt, stored, server)


def md5_verifier(role: str, password: str) -> str:
    return "md5" + hashlib.md5((password + role).encode(), usedforsecurity=False).hexdigest()


def md5_response(verifier: str, salt: bytes) -> str:
    """What a client that knows the password answers to AuthenticationMD5Password."""
    return "md5" + hashlib.md5(verifier[3:].encode() + salt, usedforsecurity=False).hexdigest()


def md5_crypt_verify(verifier: str, answer: str, salt: bytes) -> bool:
    return hmac.compare_digest(md5_response(verifier, salt).encode(), answer.encode())


def plain_crypt_verify(role: str, shadow: str, password: str) -> bool:
    """Whether a clear-text password is the one of a verifier."""
    if get_password_type(shadow) == "md5":
        return hmac.compare_digest(md5_verifier(role, password), shadow)
    verifier = parse_scram_verifier(shadow)
    if verifier is None:
        return False
    _, server_key = scram_keys(password, verifier.salt, verifier.iterations)
    return hmac.compare_digest(server_key, verifier.server_key)
