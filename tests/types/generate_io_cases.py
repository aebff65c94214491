"""Write io_cases.tsv: what a live PostgreSQL makes of many literals.  Run with a DSN argument.

Columns: type, setting name (see SETTINGS), literal, output or "!SQLSTATE message" (JSON strings).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg
from psycopg import sql

HERE = Path(__file__).parent
SETTINGS = {
    "iso": ("UTC", "ISO", "MDY", "postgres"),
    "postgres": ("America/Los_Angeles", "Postgres", "MDY", "postgres_verbose"),
    "german": ("Europe/London", "German", "DMY", "sql_standard"),
    "sql": ("Asia/Tokyo", "SQL", "YMD", "iso_8601"),
}


def main(dsn: str) -> None:
    literals = json.loads((HERE / "io_literals.json").read_text())
    lines = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, (zone, style, order, intervals) in SETTINGS.items():
            connection.execute(f"set timezone = '{zone}'")
            connection.execute(f"set datestyle = '{style}, {order}'")
            connection.execute(f"set intervalstyle = '{intervals}'")
            for type_name, texts in literals.items():
                cast = sql.SQL("::text::" + type_name + ")::text")
                for text in texts:
                    query = sql.SQL("select (") + sql.Literal(text) + cast
                    try:
                        row = connection.execute(query).fetchone()
                        result = row[0] if row else None
                    except psycopg.Error as error:
                        result = f"!{error.sqlstate} {error.diag.message_primary}"
                    lines.append("\t".join([type_name, name, json.dumps(text), json.dumps(result)]))
    (HERE / "io_cases.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
