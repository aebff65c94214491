"""Write expected/*.jsonl (one JSON list a line) by asking a live PostgreSQL.

    python tests/types/generate.py "host=127.0.0.1 user=postgres dbname=postgres"

Three tables: inputs (type, text -> output or error), functions (signature, arguments in text form
-> rows or error) and aggregates (signature, rows of arguments -> result or error).  The cases are
made from the samples in samples.py; only PostgreSQL says what is right.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pgemu.types.families  # noqa: F401
from pgemu.fmgr import aggregates, functions
from tests.types.samples import (
    BY_FUNCTION,
    HAND_PICKED,
    INPUTS,
    SKIP,
    VALUES,
    argument_types,
    is_testable,
)

EXPECTED = Path(__file__).parent / "expected"
PER_FUNCTION = 24
NEEDS_CATALOG = {
    *(
        f"reg{kind}in"
        for kind in [
            "class",
            "collation",
            "config",
            "dictionary",
            "namespace",
            "oper",
            "operator",
            "proc",
            "procedure",
            "role",
            "type",
        ]
    ),
    "unknownin",
    "int2vectorin",
    "oidvectorin",
}
# Families whose cases are written elsewhere: they depend on settings or on the clock.
OTHER_FAMILIES = (
    "datetime",
    "interval",
    "timezone",
    "json",
    "arrays",
    "range",
    "enum",
    "generate_series",
    "format",
    "multirange",
    "tsearch",
    "geo",
)


def literal(text: str | None, type_name: str) -> str:
    quoted = "NULL" if text is None else "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    array = type_name.startswith("_")
    name = '"' + type_name.lstrip("_") + '"' if type_name not in ("any",) else "text"
    return f"{quoted}::pg_catalog.{name}{'[]' if array else ''}"


def name_of(signature: str) -> str:
    return signature.partition("(")[0]


class Oracle:
    def __init__(self, dsn: str) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.run("set client_min_messages = error")

    def run(self, sql: str) -> list[Any]:
        """["ok", [values]] or ["error", sqlstate, message, detail, hint]."""
        result = self.connection.pgconn.exec_(sql.encode())
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            values = (result.get_value(i, 0) for i in range(result.ntuples))
            return ["ok", [None if v is None else v.decode() for v in values]]
        fields = (
            pq.DiagnosticField.SQLSTATE,
            pq.DiagnosticField.MESSAGE_PRIMARY,
            pq.DiagnosticField.MESSAGE_DETAIL,
            pq.DiagnosticField.MESSAGE_HINT,
        )
        raw = (result.error_field(f) for f in fields)
        return ["error", *(None if r is None else r.decode() for r in raw)]

    def strict_and_result(self) -> dict[str, tuple[bool, str]]:
        sql = """
            select p.proname || '(' || coalesce((select string_agg(t.typname, ',' order by o)
                from unnest(p.proargtypes) with ordinality x(a, o) join pg_type t on t.oid = a), '')
                || ')', p.proisstrict, r.typname
            from pg_proc p join pg_type r on r.oid = p.prorettype where p.pronamespace = 11"""
        with self.connection.cursor() as cursor:
            return {sig: (strict, result) for sig, strict, result in cursor.execute(sql)}


def argument_rows(signature: str, types: list[str]) -> Iterator[tuple[str | None, ...]]:
    """The sample argument lists of a function: hand-picked ones, then a random choice."""
    name = signature.partition("(")[0]
    seen: set[tuple[str | None, ...]] = set()
    for row in BY_FUNCTION.get(name, ()):
        if len(row) == len(types):
            seen.add(tuple(row))
            yield tuple(row)
    if signature in SKIP:
        return
    chosen = random.Random(signature)
    pools = [VALUES[t] for t in types]
    everything = 1
    for pool in pools:
        everything *= len(pool)
    if everything <= PER_FUNCTION * 2:
        rows: Any = itertools.product(*pools)
    else:
        rows = (tuple(chosen.choice(p) for p in pools) for _ in range(PER_FUNCTION * 2))
    for row in rows:
        if row not in seen:
            seen.add(row)
            yield row
        if len(seen) >= PER_FUNCTION:
            return


def write(name: str, lines: Iterator[list[Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (EXPECTED / name).write_text(text)


def input_lines(oracle: Oracle) -> Iterator[list[Any]]:
    for type_name, texts in INPUTS.items():
        for text in texts:
            yield [type_name, text, oracle.run(f"select {literal(text, type_name)}")]


def function_lines(oracle: Oracle) -> Iterator[list[Any]]:
    procs = oracle.strict_and_result()
    for signature in sorted(functions):
        types = argument_types(signature)
        if not is_testable(types) or signature not in procs or functions[signature].typed:
            continue
        module = getattr(functions[signature].body, "__module__", None) or ""
        if name_of(signature) in NEEDS_CATALOG:
            continue
        if module.rpartition(".")[2].startswith(OTHER_FAMILIES):
            continue
        if signature in SKIP and signature not in HAND_PICKED:
            continue
        result_type = procs[signature][1]
        name = signature.partition("(")[0]
        for row in argument_rows(signature, types):
            args = ", ".join(literal(a, t) for a, t in zip(row, types, strict=True))
            call = f'pg_catalog."{name}"({args})'
            # Of a comparison only the sign is defined.
            answer = oracle.run(f"select {f'sign({call})::int' if name.endswith('cmp') else call}")
            if result_type == "bpchar" and answer[0] == "ok":
                answer[1] = [v and v.rstrip(" ") for v in answer[1]]
            yield [signature, result_type, list(row), answer]


def aggregate_lines(oracle: Oracle) -> Iterator[list[Any]]:
    procs = oracle.strict_and_result()
    for signature in sorted(aggregates):
        types = argument_types(signature)
        if signature in SKIP or not types or not is_testable(types) or "percentile" in signature:
            continue
        name = signature.partition("(")[0]
        for attempt in range(12):
            chosen = random.Random(f"{signature}{attempt}")
            rows = [
                [None if chosen.random() < 0.1 else chosen.choice(VALUES[t]) for t in types]
                for _ in range(attempt)
            ]
            columns = ", ".join(f"c{i}" for i in range(len(types)))
            values = (
                ", ".join(
                    f"({n}, {', '.join(literal(v, t) for v, t in zip(row, types, strict=True))})"
                    for n, row in enumerate(rows)
                )
                or f"(0, {', '.join(literal(None, t) for t in types)})"
            )
            where = "" if rows else " where n < 0"
            sql = (
                f'select pg_catalog."{name}"({columns} order by n) '
                f"from (values {values}) v(n, {columns}){where}"
            )
            yield [signature, procs[signature][1], rows, oracle.run(sql)]


if __name__ == "__main__":
    live = Oracle(sys.argv[1])
    write("inputs.jsonl", input_lines(live))
    write("functions.jsonl", function_lines(live))
    write("aggregates.jsonl", aggregate_lines(live))
