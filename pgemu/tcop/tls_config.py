"""The server side of TLS from the settings ssl_cert_file, ssl_key_file and ssl_ca_file.

Counterpart: be_tls_init of PostgreSQL's be-secure-openssl.c.  Where the certificate of the default
name is missing, one is made, so that `ssl = on` needs no preparation.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgemu.errors import CONFIG_FILE_ERROR, PgError
from pgemu.libpq.startup import TlsServer
from pgemu.libpq.tls import load_tls, make_certificate
from pgemu.storage.filelock import FileLock


def tls_server(cluster: Any, settings: Mapping[str, Any]) -> TlsServer:
    """The context for a connection; trouble with the files is a FATAL error."""
    folder = Path(cluster.data)
    certificate = folder / str(settings.get("ssl_cert_file") or "server.crt")
    key = folder / str(settings.get("ssl_key_file") or "server.key")
    ca = str(settings.get("ssl_ca_file") or "")
    if not settings.get("ssl_cert_file") and not certificate.exists():
        lock = FileLock(os.path.join(cluster.runtime, "lock.tls"))
        with lock:
            if not certificate.exists():
                make_certificate(certificate, key)
        lock.close()
    try:
        return load_tls(certificate, key, folder / ca if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise PgError(
            CONFIG_FILE_ERROR,
            f'could not load server certificate file "{certificate}": {error}',
            severity="FATAL",
        ) from error
