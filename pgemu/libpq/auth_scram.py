"""The server's side of a SCRAM-SHA-256 exchange, without I/O.

Counterpart: PostgreSQL's auth-scram.c.  An unknown user, or one without a SCRAM verifier, goes
through the same steps with a made-up salt that is always the same for the same name, so that
neither the messages nor the time tell; only the proof never fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_AUTHORIZATION_SPECIFICATION,
    PROTOCOL_VIOLATION,
    PgError,
)
from pgemu.libpq.crypt import SALT_LENGTH, SCRAM_ITERATIONS, ScramVerifier

SCRAM_SHA_256 = "SCRAM-SHA-256"
SCRAM_SHA_256_PLUS = "SCRAM-SHA-256-PLUS"
CHANNEL_BINDING = "tls-server-end-point"


def malformed(detail: str) -> PgError:
    return PgError(PROTOCOL_VIOLATION, "malformed SCRAM message", detail=detail, severity="FATAL")


def mock_verifier(user: str, mock_nonce: bytes) -> ScramVerifier:
    """A verifier that no password fits."""
    salt = hashlib.sha256(mock_nonce + user.encode()).digest()[:SALT_LENGTH]
    return ScramVerifier(SCRAM_ITERATIONS, salt, secrets.token_bytes(32), secrets.token_bytes(32))


class ScramExchange:
    """One exchange: first(), then final(); succeeded says whether the proof fitted."""

    def __init__(
        self,
        mechanism: str,
        verifier: ScramVerifier,
        endpoint: bytes | None,
        *,
        doomed: bool = False,
    ) -> None:
        self.succeeded = False
        self._plus = mechanism == SCRAM_SHA_256_PLUS
        self._verifier = verifier
        self._endpoint = endpoint
        self._doomed = doomed
        self._gs2_header = ""
        self._first_bare = ""
        self._server_first = ""
        self._nonce = ""

    def first(self, message: bytes) -> bytes:
        """client-first-message -> server-first-message."""
        text = _ascii(message)
        flag, _, rest = text.partition(",")
        self._check_binding_flag(flag)
        authzid, comma, bare = rest.partition(",")
        if not comma:
            raise malformed("The message is truncated.")
        if authzid:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "client uses authorization identity, but it is not supported",
                severity="FATAL",
            )
        self._gs2_header = f"{flag},,"
        self._first_bare = bare
        if bare.startswith("m="):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "client requires an unsupported SCRAM extension",
                severity="FATAL",
            )
        attributes = bare.split(",")
        if not attributes[0].startswith("n="):
            raise malformed('Attribute "n" expected.')
        if len(attributes) < 2 or not attributes[1].startswith("r="):
            raise malformed('Attribute "r" expected.')
        client_nonce = attributes[1][2:]
        if not client_nonce or not all("!" <= letter <= "~" for letter in client_nonce):
            raise PgError(
                PROTOCOL_VIOLATION, "non-printable characters in SCRAM nonce", severity="FATAL"
            )
        self._nonce = client_nonce + base64.b64encode(secrets.token_bytes(18)).decode()
        salt = base64.b64encode(self._verifier.salt).decode()
        self._server_first = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        return self._server_first.encode()

    def _check_binding_flag(self, flag: str) -> None:
        if flag.startswith("p="):
            if not self._plus:
                raise malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM"
                    " message includes channel binding data."
                )
            if flag[2:] != CHANNEL_BINDING:
                raise PgError(
                    PROTOCOL_VIOLATION,
                    f'unsupported SCRAM channel-binding type "{flag[2:]}"',
                    severity="FATAL",
                )
        elif flag not in ("n", "y"):
            raise malformed(f'Unexpected channel-binding flag "{flag[:1]}".')
        elif self._plus:
            raise malformed(
                "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include"
                " channel binding data."
            )
        elif flag == "y" and self._endpoint is not None:
            raise PgError(
                INVALID_AUTHORIZATION_SPECIFICATION,
                "SCRAM channel binding negotiation error",
                detail="The client supports SCRAM channel binding but thinks the server does not."
                "  However, this server does support channel binding.",
                severity="FATAL",
            )

    def final(self, message: bytes) -> bytes | None:
        """client-final-message -> server-final-message; None if the proof does not fit."""
        text = _ascii(message)
        without_proof, comma, proof_text = text.rpartition(",p=")
        if not comma:
            raise malformed('Attribute "p" expected.')
        attributes = without_proof.split(",")
        if not attributes[0].startswith("c="):
            raise malformed('Attribute "c" expected.')
        bound = self._gs2_header.encode() + ((self._endpoint or b"") if self._plus else b"")
        if not hmac.compare_digest(attributes[0][2:].encode(), base64.b64encode(bound)):
            if self._plus:
                raise PgError(
                    INVALID_AUTHORIZATION_SPECIFICATION,
                    "SCRAM channel binding check failed",
                    severity="FATAL",
                )
            raise PgError(
                PROTOCOL_VIOLATION,
                "unexpected SCRAM channel-binding attribute in client-final-message",
                severity="FATAL",
            )
        if len(attributes) < 2 or not attributes[1].startswith("r="):
            raise malformed('Attribute "r" expected.')
        if not hmac.compare_digest(attributes[1][2:].encode(), self._nonce.encode()):
            raise PgError(
                PROTOCOL_VIOLATION,
                "invalid SCRAM response",
                detail="Nonce does not match.",
                severity="FATAL",
            )
        try:
            proof = base64.b64decode(proof_text, validate=True)
        except binascii.Error:
            raise malformed("Malformed proof in client-final-message.") from None
        if len(proof) != 32:
            raise malformed("Malformed proof in client-final-message.")
        return self._verify(proof, f"{self._first_bare},{self._server_first},{without_proof}")

    def _verify(self, proof: bytes, exchanged: str) -> bytes | None:
        auth_message = exchanged.encode()
        signature = hmac.digest(self._verifier.stored_key, auth_message, "sha256")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        fits = hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key)
        if not fits or self._doomed:
            return None
        self.succeeded = True
        server_signature = hmac.digest(self._verifier.server_key, auth_message, "sha256")
        return b"v=" + base64.b64encode(server_signature)


def _ascii(message: bytes) -> str:
    if not message:
        raise malformed("The message is empty.")
    if 0 in message:
        raise malformed("Message length does not match input length.")
    return message.decode("utf-8", "replace")
