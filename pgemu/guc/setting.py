"""Setting: one row of what can be set; read from data/<major>/settings.tsv.

Counterpart: the config_bool, config_int, ... tables of PostgreSQL's guc.c.  The rows come from a
live server (tools/dump_settings.py); only what a server does not tell is written here.
"""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

Typed = bool | int | float | str
"""A value in its setting's type: bool, integer (base unit), real, or the text of string, enum."""


class Setting(NamedTuple):
    name: str
    vartype: str
    context: str
    unit: str | None
    category: str
    short_desc: str
    extra_desc: str | None
    min_val: str | None
    max_val: str | None
    enumvals: tuple[str, ...]
    boot_val: str | None
    default_val: str | None
    default_source: str
    flags: frozenset[str]


HIDDEN_ENUM_VALUES: dict[str, dict[str, str]] = {
    **{
        name: {"true": "on", "false": "off", "yes": "on", "no": "off", "1": "on", "0": "off"}
        for name in (
            "backslash_quote",
            "compute_query_id",
            "constraint_exclusion",
            "force_parallel_mode",
            "huge_pages",
            "recovery_prefetch",
            "synchronous_commit",
        )
    },
    "client_min_messages": {"debug": "debug2", "info": "info"},
    "log_min_messages": {"debug": "debug2"},
    "log_min_error_statement": {"debug": "debug2"},
    "trace_recovery_messages": {"debug": "debug2", "info": "info"},
    "wal_compression": {
        "on": "pglz",
        "true": "pglz",
        "false": "off",
        "yes": "pglz",
        "no": "off",
        "1": "pglz",
        "0": "off",
    },
    "wal_level": {"archive": "replica", "hot_standby": "replica"},
    "archive_mode": {
        "true": "on",
        "false": "off",
        "yes": "on",
        "no": "off",
        "1": "on",
        "0": "off",
    },
}
"""Accepted, and not listed in hints: input -> the value it stands for."""

OCTAL_SHOWN = frozenset({"data_directory_mode", "log_file_mode", "unix_socket_permissions"})

SHOWN_WITHOUT_UNIT = frozenset(
    {
        "tcp_keepalives_count",
        "tcp_keepalives_idle",
        "tcp_keepalives_interval",
        "tcp_user_timeout",
    }
)
"""PostgreSQL asks the socket for these."""

OLD_NAMES = {"sort_mem": "work_mem", "vacuum_mem": "maintenance_work_mem"}


@cache
def load_settings(file: str = "settings.tsv", major: int = 15) -> dict[str, Setting]:
    """Lower-case name -> row, in the order of the file (by name)."""
    folder = os.path.join(os.path.dirname(__file__), "data", str(major))
    with open(os.path.join(folder, file), encoding="utf-8", newline="\n") as source:
        lines = source.read().split("\n")
    rows = [_row(line) for line in lines[1:] if line]
    return {row.name.lower(): row for row in rows}


def _row(line: str) -> Setting:
    cells = [None if cell == r"\N" else cell for cell in line.split("\t")]
    if "\\" in line.replace(r"\N", ""):
        cells = [None if cell is None else _unescape(cell) for cell in cells]
    name, vartype, context, unit, category, short, extra, low, high, enums, *rest = cells
    boot, default, source, flags = rest
    return Setting(
        name or "",
        vartype or "",
        context or "",
        unit,
        category or "",
        short or "",
        extra,
        low,
        high,
        tuple(item.strip('"') for item in enums.split(",")) if enums is not None else (),
        boot,
        default,
        source or "default",
        _flags(flags or ""),
    )


@cache
def _flags(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) - {""}


def _unescape(cell: str) -> str:
    if "\\" not in cell:
        return cell
    return cell.replace(r"\t", "\t").replace(r"\n", "\n").replace("\\\\", "\\")
