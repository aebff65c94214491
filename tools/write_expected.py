"""Write expected outputs of tests/regress and tests/isolation by a real PostgreSQL 15.

    python tools/write_expected.py DSN [FILE ...]

FILE: cases (tests/regress/sql/.../x.sql) or specs (tests/isolation/specs/x.spec); without any,
all of them.  It refuses every server but PostgreSQL 15: expected files are never written by pgemu.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "protocol")]

from tests.isolation.runner import run_spec  # noqa: E402
from tests.isolation.spec import read_spec  # noqa: E402
from tests.regress.case_file import read_case  # noqa: E402
from tests.regress.transcript import run_case  # noqa: E402
from tests.regress.wire import Address, Wire  # noqa: E402

SQL = ROOT / "tests" / "regress" / "sql"
EXPECTED = ROOT / "tests" / "regress" / "expected"
ISOLATION = ROOT / "tests" / "isolation"


def refuse_impostors(address: Address) -> None:
    """Exit unless the server is PostgreSQL 15 itself."""
    with Wire(address) as wire:
        version = wire.ask("select version()")[0][0] or ""
        names = wire.ask("select count(*) from pg_namespace where nspname = 'pgemu'")[0][0]
    if not re.match(r"^PostgreSQL 15\.\d+ \(", version) or "pgemu" in version or names != "0":
        sys.exit(f"expected files are written by PostgreSQL 15 only; this is {version!r}")


def write(path: Path, text: str) -> bool:
    """Write what changed; whether it did."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit(__doc__)
    server = Address.of_dsn(arguments[0])
    refuse_impostors(server)
    files = [Path(name).resolve() for name in arguments[1:]] or [
        *sorted(SQL.rglob("*.sql")),
        *sorted((ISOLATION / "specs").glob("*.spec")),
    ]
    changed = 0
    for file in files:
        if file.suffix == ".spec":
            made = ISOLATION / "expected" / f"{file.stem}.out"
            text = run_spec(read_spec(file), server).text
        else:
            made = (EXPECTED / file.relative_to(SQL)).with_suffix(".out")
            text = run_case(read_case(file), server)
        if write(made, text):
            changed += 1
            print(made.relative_to(ROOT))
    print(f"{len(files)} run, {changed} changed")


if __name__ == "__main__":
    main(sys.argv[1:])
