"""Passwords of roles as pg_authid keeps them (get_password_type, encrypt_password and
plain_crypt_verify of PostgreSQL's crypt.c).  What logging in needs is in pgemu/libpq/crypt.py."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re

_MD5 = re.compile(r"md5[0-9a-f]{32}\Z")
_SCRAM = re.compile(r"SCRAM-SHA-256\$(\d+):([^$:]+)\$([^$:]+):([^$:]+)\Z")
ITERATIONS, KEY_LENGTH = 4096, 32


def _scram_parts(text: str) -> tuple[int, bytes, bytes] | None:
    """(iterations, salt, stored key) of a well-formed verifier."""
    found = _SCRAM.match(text)
    if found is None:
        return None
    try:
        salt, stored, server = (base64.b64decode(found[n], validate=True) for n in (2, 3, 4))
    except (binascii.Error, ValueError):
        return None
    if len(stored) != KEY_LENGTH or len(server) != KEY_LENGTH:
        return None
    return int(found[1]), salt, stored


def _scram_keys(password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """(stored key, server key)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    return hashlib.sha256(client).digest(), hmac.new(salted, b"Server Key", hashlib.sha256).digest()


def encrypt_password(method: str, role: str, password: str) -> str:
    """A verifier as password_encryption wants it; what is one already stays as it is."""
    if _MD5.match(password) or _scram_parts(password) is not None:
        return password
    if method == "md5":
        return "md5" + hashlib.md5((password + role).encode()).hexdigest()
    salt = os.urandom(16)
    stored, server = (base64.b64encode(k).decode() for k in _scram_keys(password, salt, ITERATIONS))
    return f"SCRAM-SHA-256${ITERATIONS}:{base64.b64encode(salt).decode()}${stored}:{server}"


def is_empty_password(role: str, password: str) -> bool:
    """Is it the empty string, in clear or as a verifier?"""
    if _MD5.match(password):
        return password == "md5" + hashlib.md5(role.encode()).hexdigest()
    parts = _scram_parts(password)
    if parts is not None:
        iterations, salt, stored = parts
        return iterations > 0 and _scram_keys("", salt, iterations)[0] == stored
    return password == ""
