"""The PostgreSQL 15 that interleavings are compared with.

$PGEMU_ORACLE_DSN names one; else a temporary one is started if its binaries are installed
(tools/oracle.py does that); else there is none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.regress.wire import Address

ROOT = Path(__file__).parents[2]


@contextmanager
def oracle() -> Iterator[Address | None]:
    """Where PostgreSQL 15 answers; None if this machine has none."""
    dsn = os.environ.get("PGEMU_ORACLE_DSN")
    if dsn:
        yield Address.of_dsn(dsn)
        return
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "oracle.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    try:
        said = child.stdout.readline().strip()
        yield Address.of_dsn(said) if said else None
    finally:
        child.terminate()
        child.wait(30)
        child.stdout.close()
