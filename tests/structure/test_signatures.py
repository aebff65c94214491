"""Every body that is bound to a signature has its pg_proc row."""

from __future__ import annotations

from pathlib import Path

import pgemu
from pgemu.fmgr.binding_index import load_everything
from pgemu.fmgr.registry import bound_signatures

DATA = Path(pgemu.__file__).parent / "catalog" / "data" / "15"


def rows(catalog: str) -> list[list[str]]:
    text = (DATA / f"{catalog}.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.split("\n") if line]


def pg_proc_signatures() -> set[str]:
    """proname(argtypnames) of every row: oid, proname, ..., proargtypes is the 20th column."""
    types = {row[0]: row[1] for row in rows("pg_type")}
    found = signatures(rows("pg_proc"), types)
    for path in (DATA / "extension").glob("*.tsv"):
        lines = rows(f"extension/{path.stem}")
        own = {row[1]: row[2] for row in lines if row[0] == "pg_type"}
        found |= signatures([row[1:] for row in lines if row[0] == "pg_proc"], types | own)
    return found


def signatures(procs: list[list[str]], types: dict[str, str]) -> set[str]:
    found = set()
    for row in procs:
        arguments = [types[oid] for oid in row[19].strip("[]").split(",") if oid]
        found.add(f"{row[1]}({','.join(arguments)})")
    return found


def test_every_bound_signature_is_a_pg_proc_row() -> None:
    load_everything()
    own = {"pgemu", "plpgsql"}  # schemas of functions that a bare PostgreSQL does not have
    unknown = {
        signature
        for signature in bound_signatures()
        if signature.split("(")[0].split(".")[0] not in own
    } - pg_proc_signatures()
    assert sorted(unknown) == []
