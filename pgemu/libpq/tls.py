"""TLS of the server: from given files, or with a certificate of its own making.

Counterpart: PostgreSQL's be-secure-openssl.c; the self-made certificate is ours, so that
`sslmode=require` works without any preparation.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
from pathlib import Path

from pgemu.libpq.startup import TlsServer

VALID_DAYS = 3650


def load_tls(certificate: Path, key: Path, ca: Path | None = None) -> TlsServer:
    """The server side of TLS 1.2 and newer for PEM files; ca: whose client certificates count."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if ca is not None:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return TlsServer(context, endpoint_hash(certificate.read_bytes()))


def endpoint_hash(pem: bytes) -> bytes | None:
    """tls-server-end-point of RFC 5929: the certificate's hash by its own signature's digest."""
    # Lazily: the library costs a start without TLS 50 ms.
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    loaded = x509.load_pem_x509_certificate(pem)
    algorithm = loaded.signature_hash_algorithm
    if algorithm is None:
        return None
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    return hashlib.new(name, loaded.public_bytes(Encoding.DER)).digest()


def make_certificate(certificate: Path, key: Path, host: str = "localhost") -> None:
    """Write a self-signed certificate for localhost and its key, readable by the owner only."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName(host),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
