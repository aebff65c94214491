"""The TLS context that the settings ask for (PostgreSQL's be-secure-openssl.c, be_tls_init).

ssl_cert_file and ssl_key_file are relative to the data folder.  Where the default files do not
exist, a self-signed certificate is made once, so that `ssl=on` alone is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgemu.errors import CONFIG_FILE_ERROR, PgError
from pgemu.libpq.startup import TlsServer
from pgemu.libpq.tls import load_tls, make_certificate
from pgemu.storage.filelock import FileLock


def tls_server(cluster: Any, settings: Mapping[str, str]) -> TlsServer:
    """The server side of TLS; FATAL F0000 if a named file cannot be used."""
    folder = Path(cluster.data)
    certificate = folder / settings.get("ssl_cert_file", "server.crt")
    key = folder / settings.get("ssl_key_file", "server.key")
    own = "ssl_cert_file" not in settings and "ssl_key_file" not in settings
    if own and not certificate.exists():
        _make_once(cluster, certificate, key)
    ca = settings.get("ssl_ca_file")
    try:
        return load_tls(certificate, key, folder / ca if ca else None)
    except OSError as error:
        raise PgError(
            CONFIG_FILE_ERROR,
            f'could not load server certificate file "{certificate}": {error.strerror or error}',
            severity="FATAL",
        ) from error


def _make_once(cluster: Any, certificate: Path, key: Path) -> None:
    """Several connections may be the first: one makes it, the others wait."""
    lock = FileLock(f"{cluster.runtime}/tls.lock")
    try:
        with lock:
            if not certificate.exists():
                make_certificate(certificate, key)
    finally:
        lock.close()
