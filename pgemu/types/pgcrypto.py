"""The extension pgcrypto: hashes, HMACs and random bytes (PostgreSQL: contrib/pgcrypto).

Ciphers, PGP and password hashes (crypt, encrypt, pgp_*) have no bodies yet.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from pgemu.errors import EXTERNAL_ROUTINE_INVOCATION_EXCEPTION, INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import pg_function

_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


def _algorithm(name: str) -> str:
    found = name.lower()
    if found not in _ALGORITHMS:
        raise PgError(INVALID_PARAMETER_VALUE, f'Cannot use "{name}": No such hash algorithm')
    return found


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


@pg_function("digest(text, text)", "digest(bytea, text)")
def pg_digest(data: str | bytes, name: str) -> bytes:
    return hashlib.new(_algorithm(name), _bytes(data)).digest()


@pg_function("hmac(text, text, text)", "hmac(bytea, bytea, text)")
def pg_hmac(data: str | bytes, key: str | bytes, name: str) -> bytes:
    return hmac.new(_bytes(key), _bytes(data), _algorithm(name)).digest()


@pg_function("gen_random_bytes(int4)")
def pg_random_bytes(count: int) -> bytes:
    if not 1 <= count <= 1024:
        raise PgError(EXTERNAL_ROUTINE_INVOCATION_EXCEPTION, "Length not in range")
    return os.urandom(count)
