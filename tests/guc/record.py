"""Write cases.jsonl: what a live PostgreSQL answers to SET of every setting with sample texts.

python tests/guc/record.py "host=127.0.0.1 port=5432 user=postgres"
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg

CASES = Path(__file__).with_name("cases.jsonl")

SAMPLES = {
    "bool": ["on", "OFF", "tr", "f", "yes", "n", "1", "0", "o", "of", "maybe", "", " on"],
    "integer": [
        "0", "1", "-1", "7", "64", "100", "128", "1000", "1024", "65536", "100000", "10.4", "2.5",
        "1e3", "0x40", "0100", "089", ".5", "+3", " 12 ", "abc", "", "1 xx", "12kB", "1MB", "1.5MB",
        "1GB", "30.1GB", "1TB", "100000TB", "8192B", "1000B", "1min", "1.5s", "90s", "1h", "1d",
        "500us", "2 ms", "100ms", "3600000", "86400000", "60", "99999999999", "2147483647", "nan",
        "inf", "1 2", "10s ", "mb",
    ],
    "real": [
        "0", "1", "-1", "0.5", "1.25", "1e3", "1e-5", "1e400", "1e-400", "nan", "inf", "abc", "",
        "10ms", "1500us", "1s", "0.1s", "1kB", " 2 ", "3 x", "100000000", "0.30000000000000004",
    ],
    "enum": ["", "nope", "on", "OFF", "true", "1", "no"],
}  # fmt: skip
NAMED = {
    "search_path": [
        "", "a", "A", '"A"', "a,b", " a , b ", "a,,b", "a,", ",a", '"a', '"a""b"', '"a" b', "a b",
        "$user", '"$user", public', "pg_catalog", "a;b", "é",
    ],
    "DateStyle": [
        "", "iso", "ISO, DMY", "dmy", "sql", "german", "german, mdy", "mdy, german", "postgres",
        "postgresql", "euro", "noneuropean", "us", "default", "iso, default", "iso, sql", "dmy,mdy",
        "iso, iso", "foo", "iso dmy", "ymd", "SQL,European", "default, sql", ",",
    ],
    "TimeZone": [
        "UTC", "utc", "europe/berlin", "America/New_York", "EST5EDT", "GMT", "Z", "zulu", "",
        "3", "-3", "5.5", "-3.25", "+02", "0", "-0", "167", "168", "-167", "-168", "1000", "1e1",
        " 4", "4 ", "FOO+3", "foo-3:30", "fo+3", "<+05>-05:30", "<a>3", "PST8PDT,M3.2.0,M11.1.0",
        "PST8PDT4", "PST8PDT,M3.2.0", "CET-1CEST", "FOO+168", "FOO+24", "FOO", "right/UTC",
        "posix/UTC", "localtime", "Factory", "interval '3'", "INTERVAL '-08:00'",
        "interval '-08:30:15'", "interval '1 hour'", "interval '1 day'", "interval '1 mon'",
        "interval 3", "interval ''", "US/Pacific", "Etc/GMT+5", "default", "local",
    ],
    "client_encoding": [
        "utf8", "UTF-8", "Unicode", "UNICODE", "latin1", "ISO-8859-1", "iso_8859_1", "win1252",
        "WIN-1251", "sjis", "SHIFT_JIS", "mule_internal", "EUC_JP", "sql_ascii", "nope",
        "", "KOI8", "gb18030", "big5", "LATIN9", "alt",
    ],
    "application_name": ["x", "é", "a\tb", "", "z" * 100],
    "client_min_messages": ["debug", "info", "Debug1", "fatal"],
    "log_min_messages": ["debug", "panic"],
    "wal_consistency_checking": ["all", "heap, btree", "heap2,nope", ""],
    "lc_messages": ["C", "POSIX", "xx"],
    "lc_monetary": ["C", "xx"],
    "lc_numeric": ["C", "C.UTF-8", "xx"],
    "lc_time": ["POSIX", "xx"],
    "bytea_output": ["HEX", "escape"],
    "transaction_isolation": ["serializable", "Read Committed"],
    "default_transaction_isolation": ["repeatable read", "REPEATABLE READ"],
    "timezone_abbreviations": ["India", "Default"],
    "restrict_nonsystem_relation_kind": ["view", "view, foreign-table", "table", ""],
    "a.b": ["", "x", "Y z"],
    "a.b c": ["x"],
    "a.1": ["x"],
    "a.": ["x"],
    ".a": ["x"],
    "nope": ["x"],
    "sort_mem": ["64MB"],
    "WORK_MEM": ["1MB"],
}  # fmt: skip
LEFT_OUT = frozenset(
    # Need files, tables, roles or the state of the session.
    [
        "default_tablespace",
        "temp_tablespaces",
        "default_table_access_method",
        "session_preload_libraries",
        "local_preload_libraries",
        "default_text_search_config",
        "dynamic_library_path",
        "role",
        "session_authorization",
        # The socket answers.
        "tcp_keepalives_count",
        "tcp_keepalives_idle",
        "tcp_keepalives_interval",
        "tcp_user_timeout",
    ]
)


def plan(connection: psycopg.Connection[tuple[str, str, str]]) -> list[tuple[str, str]]:
    made = []
    for name, vartype, context in connection.execute(
        "SELECT name, vartype, context FROM pg_settings WHERE name NOT LIKE '%.%' ORDER BY name"
    ):
        if name in LEFT_OUT:
            continue
        samples = SAMPLES.get(vartype, ["x"])
        if context not in ("user", "superuser"):
            samples = ["1"]
        if name in NAMED and vartype == "string":
            samples = []
        made += [(name, text) for text in samples]
    return made + [(name, text) for name, texts in NAMED.items() for text in texts]


def main() -> None:
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        lines = []
        for name, text in plan(connection):
            quoted = '"' + name.replace('"', '""') + '"'
            connection.execute("BEGIN")
            try:
                literal = "'" + text.replace("'", "''") + "'"
                if name.lower() == "search_path":
                    connection.execute("SELECT set_config(%s, %s, false)", [name, text])
                else:
                    connection.execute(f"SET {quoted} = E{literal}".encode())
                shown = connection.execute(f"SHOW {quoted}".encode()).fetchone()
                assert shown is not None
                value = shown[0]  # bytes while client_encoding is SQL_ASCII
                answer = [value.decode() if isinstance(value, bytes) else value]
            except psycopg.Error as error:
                diag = error.diag
                answer = [
                    diag.sqlstate,
                    diag.message_primary,
                    diag.message_detail,
                    diag.message_hint,
                ]
            connection.execute("ROLLBACK")
            lines.append(json.dumps([name, text, *answer], ensure_ascii=False))
        CASES.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
