"""Write pgemu/types/data/stop_words.tsv from a live PostgreSQL.

    python tools/dump_stop_words.py "host=127.0.0.1 port=5432 user=postgres"

One row for each language that has stop words: its name and the words of the server's file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

TARGET = Path(__file__).resolve().parents[1] / "pgemu" / "types" / "data" / "stop_words.tsv"


def main() -> None:
    with psycopg.connect(sys.argv[1]) as conn:
        folder = conn.execute(
            "select setting || '/tsearch_data' from pg_config() where name = 'SHAREDIR'"
        ).fetchone()
        assert folder is not None
        names = conn.execute("select pg_ls_dir(%s)", folder).fetchall()
        rows = []
        for name in sorted(str(row[0]) for row in names):
            if not name.endswith(".stop"):
                continue
            text = conn.execute("select pg_read_file(%s)", (f"{folder[0]}/{name}",)).fetchone()
            assert text is not None
            words = [line.split()[0] for line in text[0].splitlines() if line.split()]
            rows.append(f"{name.removesuffix('.stop')}\t{' '.join(words)}\n")
    TARGET.write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
