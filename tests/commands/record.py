"""Write ddl.expected from a real PostgreSQL: `python -m tests.commands.record DSN`.

The DSN names a fresh, empty database.
"""

from __future__ import annotations

import json
import sys

import psycopg

from tests.commands.ddl_cases import FOLDER, answer, statements


def main(dsn: str) -> None:
    found = []
    notices: list[str] = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.add_notice_handler(lambda d: notices.append(f"{d.severity}: {d.message_primary}"))
        for sql in statements():
            notices.clear()
            try:
                cursor = conn.execute(sql)
                text = answer(cursor.statusmessage, None, notices)
            except psycopg.Error as error:
                d = error.diag
                text = answer(
                    None,
                    (d.sqlstate or "", d.message_primary or "", d.message_detail, d.message_hint),
                    notices,
                )
            found.append([sql, text])
    (FOLDER / "ddl.expected").write_text(
        "\n".join(json.dumps(pair, ensure_ascii=False) for pair in found) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
