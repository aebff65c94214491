"""The configuration files while the server runs, and what the log says of sessions."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from pgemu.errors import PgError
from pgemu.postmaster.control_client import Address, ControlClient, Row

from .conftest import Server
from .test_processes import Start, until

SHOWN = """select name, setting, reset_val, source, sourceline, pending_restart from pg_settings
where name in ('work_mem', 'enable_seqscan', 'max_connections', 'plan_cache_mode') order by name"""


def reload(client: ControlClient, server: Server) -> None:
    """Until the server has said that it did."""
    before = server.log.count("received SIGHUP")
    client.query("select pg_reload_conf()")
    until(lambda: server.log.count("received SIGHUP") > before)
    time.sleep(0.1)


def rows(client: ControlClient, sql: str) -> list[Row]:
    return list(client.query(sql).rows)


def said(server: Server) -> list[str]:
    """The log without times and process ids, and without what the server says of itself."""
    lines = [re.sub(r"^.*?\] ", "", line) for line in server.log.splitlines()]
    return [line for line in lines if "database system is" not in line]


def test_a_reload_changes_running_and_new_sessions(start: Start) -> None:
    server = start("--set", "work_mem=3MB", stub=False)
    with ControlClient(server.address) as client, ControlClient(server.address) as other:
        other.query("set plan_cache_mode = force_custom_plan")
        for setting in ("work_mem = '7MB'", "enable_seqscan = off", "max_connections = 77"):
            client.query(f"alter system set {setting}")
        client.query("alter system set plan_cache_mode = force_generic_plan")
        reload(client, server)
        expected: list[Row] = [
            ("enable_seqscan", "off", "off", "configuration file", "4", "f"),
            ("max_connections", "100", "100", "configuration file", None, "t"),
            ("plan_cache_mode", *["force_generic_plan"] * 2, "configuration file", "6", "f"),
            ("work_mem", "3072", "3072", "command line", None, "f"),
        ]
        assert rows(client, SHOWN) == expected
        with ControlClient(server.address) as new:
            assert rows(new, SHOWN) == expected
        plan = ("plan_cache_mode", "force_custom_plan", "force_generic_plan", "session", None, "f")
        assert rows(other, SHOWN) == [*expected[:2], plan, expected[3]]
        other.query("reset plan_cache_mode")
        assert rows(other, SHOWN) == expected
        client.query("alter system reset all")
        reload(client, server)
        assert rows(other, "show enable_seqscan") == [("on",)]
        with ControlClient(server.address) as new:
            assert rows(new, "show plan_cache_mode") == [("auto",)]
    log = server.log
    assert 'LOG:  parameter "enable_seqscan" changed to "off"\n' in log
    assert 'LOG:  parameter "max_connections" cannot be changed without restarting' in log
    assert "contains errors; unaffected changes were applied\n" in log
    assert 'LOG:  parameter "enable_seqscan" removed from configuration file, reset' in log


def test_set_local_goes_back_to_what_the_file_says_now(start: Start) -> None:
    server = start(stub=False)
    with ControlClient(server.address) as client:
        client.query("alter system set work_mem = '9MB'")
        client.query("begin")
        client.query("set local work_mem = '2MB'")
        reload(client, server)
        assert rows(client, "show work_mem") == [("2MB",)]
        client.query("rollback")
        assert rows(client, "show work_mem") == [("9MB",)]


@pytest.mark.parametrize(
    ("text", "message", "shown"),
    [
        (
            "nosuch = 1\nwork_mem = '7MB'\n",
            'unrecognized configuration parameter "nosuch" in file',
            [
                ("1", "nosuch", "1", "f", "unrecognized configuration parameter"),
                ("2", "work_mem", "7MB", "f", None),
            ],
        ),
        (
            "work_mem = = 3\nwork_mem = '7MB'\n",
            'line 1, near token "="',
            [("1", None, None, "f", "syntax error")],
        ),
    ],
)
def test_nothing_of_a_file_with_faults_is_applied(
    start: Start, text: str, message: str, shown: list[Row]
) -> None:
    server = start(stub=False)
    with ControlClient(server.address) as client:
        folder = rows(client, "show data_directory")[0][0]
        Path(f"{folder}/postgresql.auto.conf").write_text(text)
        sql = "select sourceline, name, setting, applied, error from pg_file_settings"
        assert rows(client, sql) == shown
        reload(client, server)
        assert rows(client, "show work_mem") == [("4MB",)]
        with ControlClient(server.address) as new:
            assert rows(new, "show work_mem") == [("4MB",)]
    assert message in server.log
    assert "contains errors; no changes were applied" in server.log


def test_a_restart_applies_what_waited_for_it(start: Start, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    server = start("--data", data, stub=False)
    with ControlClient(server.address) as client:
        client.query("alter system set max_connections = 33")
        reload(client, server)
        assert rows(client, SHOWN)[1][1] == "100"
    server.end()
    server = start("--data", data, stub=False)
    with ControlClient(server.address) as client:
        line: Row = ("max_connections", "33", "33", "configuration file", "3", "f")
        assert rows(client, SHOWN)[1] == line
    server.end()
    Path(f"{data}/postgresql.conf").write_text("nosuch = 1\n")
    failed = start("--data", data, stub=False)
    assert not failed.dsn
    assert f'configuration file "{data}/postgresql.conf" contains errors' in failed.log


def test_the_log_has_errors_and_what_is_asked_for(start: Start) -> None:
    server = start(stub=False)
    with ControlClient(server.address) as client:
        for sql in (
            "select 1,\n  nosuch",
            "create temp table log_t (a int primary key)",
            "insert into log_t values (1), (1)",
            "do $$ begin raise warning 'w' using hint = 'h'; raise notice 'n'; end $$",
            "set log_statement = 'ddl'",
            "select 2",
            "create temp table log_u ()",
            "set log_statement = 'all'",
            "select 3; select 4",
            "set log_statement = 'none'",
            "set log_min_error_statement = 'fatal'",
            "select nosuch",
            "set log_min_messages = 'fatal'",
            "select nosuch",
        ):
            try:
                client.query(sql)
            except PgError as error:
                assert error.severity == "ERROR"
    with pytest.raises(PgError):
        ControlClient(Address(**{**server.address.__dict__, "dbname": "nosuch"}))
    assert said(server) == [
        'ERROR:  column "nosuch" does not exist at character 13',
        "STATEMENT:  select 1,",
        "\t  nosuch",
        'ERROR:  duplicate key value violates unique constraint "log_t_pkey"',
        "DETAIL:  Key (a)=(1) already exists.",
        "STATEMENT:  insert into log_t values (1), (1)",
        "WARNING:  w",
        "HINT:  h",
        "CONTEXT:  PL/pgSQL function inline_code_block line 1 at RAISE",
        "LOG:  statement: create temp table log_u ()",
        "LOG:  statement: select 3; select 4",
        "LOG:  statement: set log_statement = 'none'",
        'ERROR:  column "nosuch" does not exist at character 8',
        'FATAL:  database "nosuch" does not exist',
    ]


def test_sessions_in_the_log(start: Start) -> None:
    prefix = "log_line_prefix=%q%u@%d %l [0] "
    server = start(
        *("--set", prefix, "--set", "log_connections=on", "--set", "log_disconnections=on"),
        *("--set", "log_min_duration_statement=0"),
        stub=False,
    )
    with ControlClient(server.address) as client:
        client.query("select 1")
    until(lambda: "disconnection" in server.log)
    lines = [re.sub(r"port=\d+|[0-9:]+\.\d{3}", "N", line) for line in server.log.splitlines()]
    lines = [line for line in lines if " [0] " in line]
    assert lines == [
        "[unknown]@[unknown] 1 [0] LOG:  connection received: host=127.0.0.1 N",
        "postgres@postgres 2 [0] LOG:  connection authorized: user=postgres database=postgres"
        " application_name=pgemu",
        "postgres@postgres 3 [0] LOG:  duration: N ms  statement: select 1",
        "postgres@postgres 4 [0] LOG:  disconnection: session time: N user=postgres"
        " database=postgres host=127.0.0.1 N",
    ]
    assert server.end(signal.SIGINT) == 0
    failed = start("--set", "nosuch=1", stub=False)
    assert failed.log == 'pgemu: unrecognized configuration parameter "nosuch"\n'
