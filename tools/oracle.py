"""Find a PostgreSQL 15 to ask, or start a temporary one, and print its DSN.

    python tools/oracle.py [DSN]

With a DSN (or $PGEMU_ORACLE_DSN) it only checks that PostgreSQL 15 answers there.  Otherwise it
runs initdb into a temporary folder, serves on a free port until Ctrl-C, and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "protocol")]

from tests.regress.wire import Address, Wire  # noqa: E402
from tools.write_expected import refuse_impostors  # noqa: E402

PLACES = ("/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin", "/opt/homebrew/opt/postgresql@15/bin")


def find_binaries() -> Path:
    """The folder of initdb and postgres, version 15."""
    found = shutil.which("initdb")
    for folder in [*PLACES, *([str(Path(found).parent)] if found else [])]:
        if (Path(folder) / "initdb").exists():
            said = subprocess.run(
                [f"{folder}/postgres", "--version"], capture_output=True, text=True, check=True
            ).stdout
            if " 15." in said:
                return Path(folder)
    sys.exit("PostgreSQL 15 is not installed (Debian: apt install postgresql-15)")


def free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        port: int = plug.getsockname()[1]
        return port


def as_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        if (os.geteuid() == 0)
        else command
    )


def serve(binaries: Path, folder: str) -> None:
    port = free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = f"{folder}/data"
    init = [f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"]
    init += ["--encoding=UTF8", "--locale=C.UTF-8"]
    subprocess.run(as_user(init), check=True, stdout=subprocess.DEVNULL)
    command = [f"{binaries}/postgres", "-D", data, "-p", str(port), "-k", folder]
    command += ["-c", "fsync=off", "-c", "max_prepared_transactions=10", "-c", "timezone=UTC"]
    server = subprocess.Popen(as_user(command), stderr=subprocess.DEVNULL)
    try:
        address = Address("127.0.0.1", port, "postgres", "postgres")
        for _ in range(100):
            try:
                Wire(address).close()
                break
            except OSError:
                time.sleep(0.1)
        refuse_impostors(address)
        print(address.dsn, flush=True)
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def main(arguments: list[str]) -> None:
    dsn = arguments[0] if arguments else os.environ.get("PGEMU_ORACLE_DSN")
    if dsn:
        refuse_impostors(Address.of_dsn(dsn))
        print(dsn)
        return
    # SIGINT is ignored by what a shell starts in the background
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="pgemu-oracle-") as folder:
        serve(find_binaries(), folder)


if __name__ == "__main__":
    main(sys.argv[1:])
