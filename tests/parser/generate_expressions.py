"""Writes expressions.out: what a real PostgreSQL says about each line of expressions.sql.

One JSON line per statement: the types and typmods of the result columns, or the fields of the
error.  Usage: python generate_expressions.py "host=... port=... dbname=..."
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq

HERE = Path(__file__).parent


def describe(conn: psycopg.Connection[Any], sql: str) -> dict[str, Any]:
    pg = conn.pgconn
    result = pg.prepare(b"", sql.encode())
    if result.status == pq.ExecStatus.COMMAND_OK:
        result = pg.describe_prepared(b"")
        return {
            "columns": [[result.ftype(i), result.fmod(i)] for i in range(result.nfields)],
            "params": [result.param_type(i) for i in range(result.nparams)],
        }
    fields = {
        "sqlstate": pq.DiagnosticField.SQLSTATE,
        "message": pq.DiagnosticField.MESSAGE_PRIMARY,
        "detail": pq.DiagnosticField.MESSAGE_DETAIL,
        "hint": pq.DiagnosticField.MESSAGE_HINT,
        "position": pq.DiagnosticField.STATEMENT_POSITION,
    }
    error = {}
    for name, code in fields.items():
        value = result.error_field(code)
        error[name] = value.decode() if value is not None else None
    return {"error": error}


def main() -> None:
    with psycopg.connect(sys.argv[1], autocommit=True) as conn:
        lines = (HERE / "expressions.sql").read_text().splitlines()
        out = [json.dumps(describe(conn, line), ensure_ascii=False) for line in lines]
    (HERE / "expressions.out").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
