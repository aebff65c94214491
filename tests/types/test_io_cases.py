"""Input and output of dates, times, intervals, arrays, json, jsonpath and ranges are PostgreSQL's.

The expected values in io_cases.tsv were written by generate_io_cases.py from a live server.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pgemu.types.families  # noqa: F401
from pgemu.errors import PgError
from pgemu.fmgr import CallContext
from pgemu.types.arrays import ArrayType
from pgemu.types.base import BaseType, base_types
from pgemu.types.ranges import MultirangeType, RangeType
from pgemu.types.timezone import pg_tzset

CASES = (Path(__file__).parent / "io_cases.tsv").read_text().splitlines()
SETTINGS = {
    "iso": ("UTC", "ISO", "MDY", "postgres"),
    "postgres": ("America/Los_Angeles", "Postgres", "MDY", "postgres_verbose"),
    "german": ("Europe/London", "German", "DMY", "sql_standard"),
    "sql": ("Asia/Tokyo", "SQL", "YMD", "iso_8601"),
}


def type_of(name: str) -> BaseType:
    if name.endswith("[]"):
        return ArrayType(base_types[name[:-2]])
    if name == "int4multirange":
        return MultirangeType(name, RangeType("int4range", base_types["int4"]))
    subtypes = {"int4range": "int4", "numrange": "numeric", "daterange": "date"}
    if name in subtypes:
        return RangeType(name, base_types[subtypes[name]])
    return base_types[name]


def context_of(name: str) -> CallContext:
    ctx = CallContext()
    zone, ctx.datestyle, ctx.dateorder, ctx.intervalstyle = SETTINGS[name]
    ctx.timezone = pg_tzset(zone)
    return ctx


@pytest.mark.parametrize("setting", SETTINGS)
def test_text_forms_are_postgresqls(setting: str) -> None:
    ctx = context_of(setting)
    wrong = []
    for line in CASES:
        type_name, case_setting, literal, expected = line.split("\t")
        if case_setting != setting:
            continue
        io = type_of(type_name)
        try:
            got = io.output(io.input(json.loads(literal), -1, ctx), ctx)
        except PgError as error:
            got = f"!{error.sqlstate} {error.message}"
        if got != json.loads(expected):
            wrong.append((type_name, literal, json.loads(expected), got))
    assert not wrong
