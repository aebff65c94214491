"""Write pgemu/guc/data/<major>/settings.tsv from a live PostgreSQL.

    python tools/dump_settings.py "host=127.0.0.1 port=5432 user=postgres"

One row for each setting of pg_settings, those hidden from it, and plpgsql's (plpgsql.tsv).  The
column default_val is what a server has right after initdb: the boot value, except where initdb's
postgresql.conf or the start of the server itself decides.  Nothing of the machine is written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psycopg

COLUMNS = [
    "name",
    "vartype",
    "context",
    "unit",
    "category",
    "short_desc",
    "extra_desc",
    "min_val",
    "max_val",
    "enumvals",
    "boot_val",
    "default_val",
    "default_source",
    "flags",
]

# Decided at start from the platform or the database, yet not from this machine's paths.
COMPUTED = frozenset(
    [
        "client_encoding",
        "server_encoding",
        "lc_collate",
        "lc_ctype",
        "max_stack_depth",
        "wal_buffers",
        "timezone_abbreviations",
        "shared_memory_size",
        "shared_memory_size_in_huge_pages",
    ]
)

# (name, vartype, context, short_desc, boot value, min, max): GUC_NO_SHOW_ALL hides them.
HIDDEN = (
    ("is_superuser", "bool", "internal", "Shows whether the current user is a superuser.", "on"),
    ("role", "string", "user", "Sets the current role.", "none"),
    ("session_authorization", "string", "user", "Sets the session user name.", ""),
    ("seed", "real", "user", "Sets the seed for random-number generation.", "0"),
    (
        "ssl_renegotiation_limit",
        "integer",
        "user",
        "SSL renegotiation is no longer supported.",
        "0",
    ),
    (
        "default_with_oids",
        "bool",
        "user",
        "WITH OIDS is no longer supported; this can only be false.",
        "off",
    ),
)
HIDDEN_RANGES = {"seed": ("-1", "1"), "ssl_renegotiation_limit": ("0", "0")}
LIST_INPUT = frozenset(
    [
        "DateStyle",
        "search_path",
        "temp_tablespaces",
        "local_preload_libraries",
        "session_preload_libraries",
        "shared_preload_libraries",
        "listen_addresses",
        "unix_socket_directories",
        "log_destination",
        "synchronous_standby_names",
        "wal_consistency_checking",
        "restrict_nonsystem_relation_kind",
        "plpgsql.extra_warnings",
        "plpgsql.extra_errors",
    ]
)
LIST_QUOTE = frozenset(
    [
        "search_path",
        "temp_tablespaces",
        "local_preload_libraries",
        "session_preload_libraries",
        "shared_preload_libraries",
    ]
)


def escape(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, list):
        return ",".join(f'"{item}"' if " " in item or not item else item for item in value)
    return str(value).replace("\\", "\\\\").replace("\t", r"\t").replace("\n", r"\n")


def reported(connection: psycopg.Connection[Any]) -> set[str]:
    """The settings with GUC_REPORT: those that the server told us at start-up."""
    names = [
        "server_version",
        "server_encoding",
        "client_encoding",
        "application_name",
        "is_superuser",
        "session_authorization",
        "DateStyle",
        "IntervalStyle",
        "TimeZone",
        "integer_datetimes",
        "standard_conforming_strings",
        "default_transaction_read_only",
        "in_hot_standby",
    ]
    return {name for name in names if connection.info.parameter_status(name) is not None}


def superuser_only(connection: psycopg.Connection[Any]) -> set[str]:
    everything = {row[0] for row in connection.execute("SELECT name FROM pg_settings")}
    connection.execute("CREATE ROLE pgemu_probe")
    connection.execute("SET ROLE pgemu_probe")
    seen = {row[0] for row in connection.execute("SELECT name FROM pg_settings")}
    connection.rollback()
    return everything - seen


def rows(connection: psycopg.Connection[Any], where: str) -> list[list[Any]]:
    report, secret = reported(connection), superuser_only(connection)
    made = []
    for row in connection.execute(
        "SELECT name, vartype, context, unit, category, short_desc, extra_desc, min_val, max_val,"
        " enumvals, boot_val, reset_val, source, pg_settings_get_flags(name)"
        f" FROM pg_settings WHERE {where} ORDER BY lower(name)"
    ):
        *facts, boot, reset, source, flags = row
        name = facts[0]
        if name == "server_version":  # without the packager's words
            boot = reset = boot.split()[0]
        default, default_source = boot, "default"
        if source == "configuration file":
            default, default_source = reset, source
        elif name in COMPUTED:
            default = reset
        flags = list(flags)
        flags += ["REPORT"] * (name in report) + ["SUPERUSER_ONLY"] * (name in secret)
        flags += ["LIST_INPUT"] * (name in LIST_INPUT) + ["LIST_QUOTE"] * (name in LIST_QUOTE)
        made.append([*facts, boot, default, default_source, flags])
    return made


def hidden_rows(connection: psycopg.Connection[Any]) -> list[list[Any]]:
    made: list[list[Any]] = []
    report = reported(connection)
    for name, vartype, context, description, boot in HIDDEN:
        low, high = HIDDEN_RANGES.get(name, (None, None))
        found = connection.execute("SELECT pg_settings_get_flags(%s)", [name]).fetchone()
        assert found is not None
        flags = [*found[0], *(["REPORT"] * (name in report))]
        made.append(
            [
                name,
                vartype,
                context,
                None,
                "",
                description,
                None,
                low,
                high,
                None,
                boot,
                boot,
                "default",
                flags,
            ]
        )
    return made


def write(path: Path, made: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made.sort(key=lambda row: row[0].lower())
    lines = ["\t".join(COLUMNS), *("\t".join(map(escape, row)) for row in made)]
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    with psycopg.connect(sys.argv[1]) as connection:
        major = str(connection.info.server_version // 10000)
        folder = Path(__file__).parent.parent / "pgemu" / "guc" / "data" / major
        plain = "name NOT LIKE '%.%'"
        write(folder / "settings.tsv", rows(connection, plain) + hidden_rows(connection))
        connection.execute("LOAD 'plpgsql'")
        connection.commit()
        write(folder / "plpgsql.tsv", rows(connection, "name LIKE 'plpgsql.%'"))
        connection.rollback()


if __name__ == "__main__":
    main()
