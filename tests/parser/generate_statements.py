"""Writes statements.out and syntax.out: what a real PostgreSQL says about each line of the .sql.

One JSON line per statement: names, types, typmods and origins of the result columns, or the
fields of the error.  Usage: python generate_statements.py "host=... port=... dbname=..."
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq

HERE = Path(__file__).parent
FIELDS = {
    "sqlstate": pq.DiagnosticField.SQLSTATE,
    "message": pq.DiagnosticField.MESSAGE_PRIMARY,
    "detail": pq.DiagnosticField.MESSAGE_DETAIL,
    "hint": pq.DiagnosticField.MESSAGE_HINT,
    "position": pq.DiagnosticField.STATEMENT_POSITION,
}


def describe(conn: psycopg.Connection[Any], sql: str) -> dict[str, Any]:
    pg = conn.pgconn
    result = pg.prepare(b"", sql.encode())
    if result.status == pq.ExecStatus.COMMAND_OK:
        result = pg.describe_prepared(b"")
        columns = []
        for i in range(result.nfields):
            name = (result.fname(i) or b"").decode()
            origin = [result.ftable(i), result.ftablecol(i)]
            columns.append([name, result.ftype(i), result.fmod(i), *origin])
        return {"columns": columns}
    error: dict[str, str | None] = {}
    for name, code in FIELDS.items():
        value = result.error_field(code)
        error[name] = value.decode() if value is not None else None
    return {"error": error}


def main() -> None:
    with psycopg.connect(sys.argv[1], autocommit=True) as conn:
        for stem in ("statements", "syntax"):
            lines = (HERE / f"{stem}.sql").read_text().splitlines()
            out = [json.dumps(describe(conn, line), ensure_ascii=False) for line in lines]
            (HERE / f"{stem}.out").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
