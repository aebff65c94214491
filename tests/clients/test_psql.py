"""psql's own commands: what psql 15 prints on pgemu is what it printed on PostgreSQL 15.

expected/psql.out is written by `python -m tests.clients.record_psql DSN` on a real server.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.regress.wire import Address

HERE = Path(__file__).parent
EXPECTED = HERE / "expected" / "psql.out"
SCRIPT = HERE / "psql_script.sql"


def psql_major() -> int:
    """0 if there is no psql."""
    if shutil.which("psql") is None:
        return 0
    said = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+", said)
    return int(found.group()) if found else 0


def psql(address: Address, script: str) -> str:
    """What psql prints for a script; names that differ from run to run replaced."""
    done = subprocess.run(
        ["psql", "-X", "-a", "-d", address.dsn],
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8", "PGTZ": "UTC"},
    )
    # where PostgreSQL's source raises an error is no matter of pgemu's
    shown = re.sub(r"^LOCATION:.*\n", "", done.stdout, flags=re.MULTILINE)
    return shown.replace(address.database, "DB")


def sections(text: str) -> dict[str, str]:
    """Output by the `\\echo == name` lines of the script."""
    parts = re.split(r"^== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


NAMES = re.findall(r"^\\echo == (.*)$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
needs_psql = pytest.mark.skipif(psql_major() != 15, reason="psql 15 is not installed")


@needs_psql
def test_psql_commands(database: Address) -> None:
    found = sections(psql(database, SCRIPT.read_text(encoding="utf-8")))
    expected = sections(EXPECTED.read_text(encoding="utf-8"))
    assert list(found) == NAMES
    wrong = [name for name in NAMES if found[name] != expected[name]]
    for name in wrong:
        print(f"== {name}\n-- expected\n{expected[name]}\n-- found\n{found[name]}")
    assert wrong == []


@needs_psql
def test_list_of_databases(database: Address) -> None:
    done = psql(database, "\\l\n")
    for name in ("DB", "postgres", "template0", "template1"):
        assert re.search(rf"^ {name} +\| postgres +\| UTF8 ", done, re.MULTILINE), done


@needs_psql
def test_copy_to_and_from_a_file(database: Address, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    script = f"""
        create table t (a int, b text);
        insert into t values (1, 'x'), (2, null);
        \\copy t to '{file}' csv header
        \\copy t from '{file}' csv header
        select count(*), count(b) from t;
    """
    said = psql(database, script.replace("        ", ""))
    assert file.read_text() == "a,b\n1,x\n2,\n"
    assert "COPY 2\n" in said and "     4 |     2\n" in said


@needs_psql
def test_on_error_stop_and_exit_code(database: Address) -> None:
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.dsn]
    done = subprocess.run(
        [*command, "-c", "select nope"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == (
        'ERROR:  column "nope" does not exist\nLINE 1: select nope\n               ^\n'
    )
    done = subprocess.run(
        [*command, "-1", "-c", "create table t (a int)", "-c", "select 1 / 0"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    done = subprocess.run(
        [*command, "-Atc", "select to_regclass('t') is null"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "t\n"
