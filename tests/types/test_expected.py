"""Rule: type input, function bodies and aggregates answer exactly as PostgreSQL did."""

from __future__ import annotations

from typing import Any

import pytest

from tests.types.runner import cases, run_aggregate, run_function, run_input


def grouped(name: str) -> list[Any]:
    groups: dict[str, list[list[Any]]] = {}
    for case in cases(name):
        groups.setdefault(case[0], []).append(case)
    return [pytest.param(rows, id=key) for key, rows in groups.items()]


@pytest.mark.parametrize("rows", grouped("inputs.jsonl"))
def test_input(rows: list[list[Any]]) -> None:
    for type_name, text, expected in rows:
        assert run_input(type_name, text) == expected, (type_name, text)


@pytest.mark.parametrize("rows", grouped("functions.jsonl"))
def test_function(rows: list[list[Any]]) -> None:
    for signature, result_type, args, expected in rows:
        assert run_function(signature, result_type, args) == expected, (signature, args)


@pytest.mark.parametrize("rows", grouped("aggregates.jsonl"))
def test_aggregate(rows: list[list[Any]]) -> None:
    for signature, result_type, values, expected in rows:
        assert run_aggregate(signature, result_type, values) == expected, (signature, values)
