"""Run one case of expected/*.jsonl against the bodies in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgemu.errors import PgError
from pgemu.fmgr import CallContext, aggregates, functions
from pgemu.types import base_types

EXPECTED = Path(__file__).parent / "expected"
CONTEXT = CallContext()


def cases(name: str) -> Iterator[list[Any]]:
    path = EXPECTED / name
    if path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


def read(type_name: str, text: str | None) -> Any:
    return None if text is None else base_types[type_name].input(text, -1, CONTEXT)


def show(type_name: str, value: Any) -> str | None:
    if value is None:
        return None
    if type_name == "_text":
        from pgemu.types.arrays import ArrayType

        return str(ArrayType(base_types["text"], ",").output(value, CONTEXT))
    return base_types[type_name].output(value, CONTEXT)


def answer_of(error: PgError) -> list[Any]:
    return ["error", error.sqlstate, error.message, error.detail, error.hint]


def run_input(type_name: str, text: str) -> list[Any]:
    try:
        return ["ok", [show(type_name, read(type_name, text))]]
    except PgError as error:
        return answer_of(error)


def argument_types(signature: str) -> list[str]:
    inner = signature.partition("(")[2][:-1]
    return inner.split(",") if inner else []


def run_function(signature: str, result_type: str, row: list[str | None]) -> list[Any]:
    binding = functions[signature]
    types = argument_types(signature)
    try:
        args = [read(t, a) for t, a in zip(types, row, strict=True)]
        value = binding.body(*([CONTEXT] if binding.context else []), *args)
        rows = list(value) if hasattr(value, "__next__") else [value]
        return ["ok", [show(result_type, v) for v in rows]]
    except PgError as error:
        return answer_of(error)


def run_aggregate(signature: str, result_type: str, rows: list[list[str | None]]) -> list[Any]:
    binding = aggregates[signature]
    types = argument_types(signature)
    try:
        state = binding.factory()
        for row in rows:
            if not binding.strict or None not in row:
                state.step(*(read(t, a) for t, a in zip(types, row, strict=True)))
        return ["ok", [show(result_type, state.final())]]
    except PgError as error:
        return answer_of(error)
