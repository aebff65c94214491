"""The wire itself: what drivers rarely do, and what a broken client does."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator

import pytest

from pgemu_protocol.backend import (
    BindComplete,
    CloseComplete,
    CommandComplete,
    DataRow,
    EmptyQueryResponse,
    ErrorResponse,
    NegotiateProtocolVersion,
    NoData,
    ParameterDescription,
    ParseComplete,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
)
from pgemu_protocol.frontend import (
    Bind,
    Close,
    Describe,
    Execute,
    Flush,
    FunctionCall,
    Parse,
    Query,
    Sync,
)
from pgemu_protocol.message import Message
from pgemu_protocol.startup import PROTOCOL_3_0, SSLRequest, StartupMessage, protocol
from tests.regress.wire import Address, ServerRefused, Wire, WireClosed


@pytest.fixture
def wire(database: Address) -> Iterator[Wire]:
    with Wire(database) as made:
        yield made


def kinds(messages: list[Message]) -> list[type[Message]]:
    return [type(message) for message in messages]


def code_of(messages: list[Message]) -> str:
    """SQLSTATE of the one error among the messages."""
    (error,) = [message for message in messages if isinstance(message, ErrorResponse)]
    return dict(error.fields)[b"C"]


def rows_of(messages: list[Message]) -> list[tuple[bytes | None, ...]]:
    return [message.values for message in messages if isinstance(message, DataRow)]


def run(sql: str, *values: bytes | None) -> list[Message]:
    return [Parse("", sql, ()), Bind("", "", (), values, ()), Execute("", 0)]


def test_greeting(wire: Wire) -> None:
    for name in (
        "server_version",
        "server_encoding",
        "client_encoding",
        "DateStyle",
        "TimeZone",
        "IntervalStyle",
        "integer_datetimes",
        "standard_conforming_strings",
        "is_superuser",
        "session_authorization",
        "application_name",
        "in_hot_standby",
        "default_transaction_read_only",
    ):
        assert name in wire.parameters
    assert wire.parameters["server_version"].startswith("15.")
    assert wire.process_id > 0 and len(wire.secret_key) == 4
    assert wire.status == "I"


def test_hundreds_of_messages_before_one_sync(wire: Wire) -> None:
    wire.ask("create table t (a int)")
    messages: list[Message] = []
    for i in range(400):
        messages += run("insert into t values ($1)", str(i).encode())
        messages += run("select $1::int * 2", str(i).encode())
    wire.send(*messages, Sync())
    answers = wire.until_ready()
    assert [row[0] for row in rows_of(answers)] == [str(i * 2).encode() for i in range(400)]
    assert wire.ask("select count(*) from t") == [("400",)]


def test_pipeline_is_one_transaction(wire: Wire) -> None:
    wire.ask("create table t (a int)")
    wire.send(*run("insert into t values (1)"), *run("select 1 / 0"), *run("select 3"), Sync())
    answers = wire.until_ready()
    assert code_of(answers) == "22012"
    assert rows_of(answers) == []
    assert wire.ask("select count(*) from t") == [("0",)]


def test_skip_until_sync(wire: Wire) -> None:
    wire.send(
        *run("select nope"), *run("select 2"), Describe(b"S", "none"), Query("select 4"), Sync()
    )
    answers = wire.until_ready()
    assert kinds(answers) == [ErrorResponse, ReadyForQuery]
    wire.send(*run("select 5"), Sync())
    assert rows_of(wire.until_ready()) == [(b"5",)]


def test_portal_suspension(wire: Wire) -> None:
    wire.send(
        Parse("s", "select generate_series(1, 5)", ()),
        Bind("p", "s", (), (), ()),
        Execute("p", 2),
        Execute("p", 2),
        Execute("p", 2),
        Execute("p", 2),
        Sync(),
    )
    answers = wire.until_ready()
    assert kinds(answers) == [
        ParseComplete,
        BindComplete,
        DataRow,
        DataRow,
        PortalSuspended,
        DataRow,
        DataRow,
        PortalSuspended,
        DataRow,
        CommandComplete,
        CommandComplete,
        ReadyForQuery,
    ]
    tags = [message.tag for message in answers if isinstance(message, CommandComplete)]
    assert tags == ["SELECT 1", "SELECT 0"]


def test_portals_end_with_their_transaction(wire: Wire) -> None:
    wire.send(
        Parse("s", "select 1", ()), Bind("p", "s", (), (), ()), Sync(), Execute("p", 0), Sync()
    )
    wire.until_ready()
    assert code_of(wire.until_ready()) == "34000"
    wire.send(
        Bind("p", "s", (), (), ()), Execute("p", 0), Close(b"P", "p"), Close(b"S", "s"), Sync()
    )
    assert kinds(wire.until_ready()) == [
        BindComplete,
        DataRow,
        CommandComplete,
        CloseComplete,
        CloseComplete,
        ReadyForQuery,
    ]
    wire.send(Bind("", "s", (), (), ()), Sync())
    assert code_of(wire.until_ready()) == "26000"


def test_describe(wire: Wire) -> None:
    wire.send(
        Parse("s", "select $1::int as a, $2 || 'x' as b", ()),
        Describe(b"S", "s"),
        Bind("p", "s", (), (b"1", b"y"), (1,)),
        Describe(b"P", "p"),
        Parse("u", "create table t (a int)", ()),
        Describe(b"S", "u"),
        Sync(),
    )
    answers = wire.until_ready()
    assert kinds(answers) == [
        ParseComplete,
        ParameterDescription,
        RowDescription,
        BindComplete,
        RowDescription,
        ParseComplete,
        ParameterDescription,
        NoData,
        ReadyForQuery,
    ]
    described, bound = answers[2], answers[4]
    assert isinstance(described, RowDescription) and isinstance(bound, RowDescription)
    assert [(f.name, f.type_oid, f.format) for f in described.fields] == [
        ("a", 23, 0),
        ("b", 25, 0),
    ]
    assert [f.format for f in bound.fields] == [1, 1]


def test_duplicate_and_missing_names(wire: Wire) -> None:
    wire.send(Parse("s", "select 1", ()), Parse("s", "select 2", ()), Sync())
    assert code_of(wire.until_ready()) == "42P05"
    wire.send(Describe(b"S", "missing"), Sync())
    assert code_of(wire.until_ready()) == "26000"
    wire.send(Execute("missing", 0), Sync())
    assert code_of(wire.until_ready()) == "34000"
    wire.send(Close(b"S", "missing"), Sync())
    assert kinds(wire.until_ready()) == [CloseComplete, ReadyForQuery]


def test_wrong_parameter_counts_and_formats(wire: Wire) -> None:
    wire.send(Parse("", "select $1::int", ()), Bind("", "", (), (), ()), Sync())
    assert code_of(wire.until_ready()) == "08P01"
    wire.send(Parse("", "select $1::int", ()), Bind("", "", (0, 0, 0), (b"1",), ()), Sync())
    assert code_of(wire.until_ready()) == "08P01"
    wire.send(Parse("", "select $1::int", ()), Bind("", "", (1,), (b"12",), ()), Sync())
    assert code_of(wire.until_ready()) == "08P01"
    wire.send(
        Parse("", "select $1::int", ()), Bind("", "", (1,), (b"\0\0\0\7",), (1,)), Execute("", 0)
    )
    wire.send(Sync())
    assert rows_of(wire.until_ready()) == [(b"\0\0\0\7",)]


def test_empty_query(wire: Wire) -> None:
    wire.send(Query("  -- nothing\n"))
    assert kinds(wire.until_ready()) == [EmptyQueryResponse, ReadyForQuery]
    wire.send(*run(""), Sync())
    assert EmptyQueryResponse in kinds(wire.until_ready())


def test_two_statements_cannot_be_prepared(wire: Wire) -> None:
    wire.send(Parse("", "select 1; select 2", ()), Sync())
    assert code_of(wire.until_ready()) == "42601"


def test_flush_sends_without_sync(wire: Wire) -> None:
    wire.send(*run("select 7"), Flush())
    found = [wire.receive() for _ in range(4)]
    assert kinds(found) == [ParseComplete, BindComplete, DataRow, CommandComplete]
    wire.send(Sync())
    assert kinds(wire.until_ready()) == [ReadyForQuery]


def test_function_call(wire: Wire) -> None:
    oid = int(wire.ask("select 'int4pl'::regproc::oid")[0][0] or 0)
    wire.send(FunctionCall(oid, (0,), (b"2", b"3"), 0))
    answers = wire.until_ready()
    assert getattr(answers[0], "value", None) == b"5"


def test_rows_come_before_the_error(wire: Wire) -> None:
    wire.send(Query("select 1; select 2; select 1 / 0; select 3"))
    answers = wire.until_ready()
    assert rows_of(answers) == [(b"1",), (b"2",)]
    assert code_of(answers) == "22012"


def test_many_rows_are_streamed(wire: Wire) -> None:
    wire.send(Query("select g, repeat('x', 100) from generate_series(1, 20000) g"))
    assert len(rows_of(wire.until_ready())) == 20000


def test_status_byte(wire: Wire) -> None:
    states = []
    for sql in ("begin", "select 1", "select 1 / 0", "select 1", "rollback", "select 1"):
        wire.send(Query(sql))
        wire.until_ready()
        states.append(wire.status)
    assert "".join(states) == "TTEEII"


@pytest.mark.parametrize("garbage", [b"!\0\0\0\4", b"\xff\xff\xff\xff\xff", b"Z\0\0\0\5I"])
def test_garbage_is_a_protocol_violation(wire: Wire, garbage: bytes) -> None:
    wire.send_bytes(garbage)
    answers = wire.until_closed()
    assert code_of(answers) == "08P01"


def test_bad_lengths_close_the_connection(wire: Wire, database: Address) -> None:
    wire.send_bytes(b"Q\0\0\0\3")
    wire.until_closed()
    with Wire(database) as other:
        assert other.ask("select 1") == [("1",)]


def test_truncated_message_body(wire: Wire) -> None:
    wire.send(Parse("", "select 1", ()))
    wire.send_bytes(b"B\0\0\0\6\0\0")
    wire.send(Sync())
    assert code_of(wire.until_ready()) == "08P01"
    assert wire.ask("select 1") == [("1",)]


def test_half_a_message_then_gone(database: Address) -> None:
    for data in (b"", b"\0", b"\0\0\0\x50", b"\0\0\0\x08\0\3\0\0"):
        half = Wire(database, start=False)
        half.send_bytes(data)
        half.socket.close()
    with Wire(database) as other:
        assert other.ask("select 1") == [("1",)]


def test_start_up_errors(database: Address) -> None:
    with pytest.raises(ServerRefused) as caught:
        Wire(database.to("no_such_database"))
    assert caught.value.fields["C"] == "3D000"
    assert caught.value.fields["S"] == "FATAL"
    with pytest.raises(ServerRefused) as caught:
        Wire(database, options={"user": "no_such_role"})
    assert caught.value.fields["C"] in ("28000", "28P01")
    with pytest.raises(ServerRefused) as caught:
        Wire(database, options={"no_such_setting": "1"})
    assert caught.value.fields["C"] == "42704"


def test_an_old_protocol_is_refused_in_its_own_format(database: Address) -> None:
    wire = Wire(database, start=False)
    wire.send(StartupMessage(protocol(2, 0), ()))
    said = b""
    while data := wire.socket.recv(1000):
        said += data
    wire.socket.close()
    assert said.startswith(b"E") and b"unsupported frontend protocol 2.0" in said


def test_start_up_options(database: Address) -> None:
    given = {"options": "-c statement_timeout=7s -c DateStyle=German", "application_name": "me"}
    with Wire(database, options=given) as wire:
        assert wire.ask("show statement_timeout") == [("7s",)]
        assert wire.parameters["application_name"] == "me"
        assert wire.parameters["DateStyle"].startswith("German")


def test_negotiate_protocol_version(database: Address) -> None:
    options = {"_pq_.unknown": "x"}
    with Wire(database, options=options, version=protocol(3, 9)) as wire:
        (answer,) = [m for m in wire.greeting if isinstance(m, NegotiateProtocolVersion)]
        assert answer.unrecognized_options == ("_pq_.unknown",)
        assert wire.ask("select 1") == [("1",)]
    with Wire(database, version=PROTOCOL_3_0) as wire:
        assert not any(isinstance(m, NegotiateProtocolVersion) for m in wire.greeting)


def test_ssl_request_is_answered(database: Address) -> None:
    wire = Wire(database, start=False)
    wire.send(SSLRequest())
    assert wire.socket.recv(1) in (b"N", b"S")
    wire.socket.close()


def test_cancel_request(wire: Wire) -> None:
    wire.send(Query("select pg_sleep(30)"))
    started = time.monotonic()
    threading.Timer(0.3, wire.cancel).start()
    assert code_of(wire.until_ready()) == "57014"
    assert time.monotonic() - started < 10
    assert wire.ask("select 1") == [("1",)]


def test_cancel_request_with_a_wrong_key(wire: Wire) -> None:
    key = wire.secret_key
    wire.secret_key = bytes(byte ^ 0xFF for byte in key)
    wire.send(Query("select pg_sleep(1)"))
    wire.cancel()
    assert rows_of(wire.until_ready()) == [(b"",)]


def test_terminate_backend(wire: Wire, database: Address) -> None:
    with Wire(database) as other:
        assert other.ask(f"select pg_terminate_backend({wire.process_id})") == [("t",)]
        assert code_of(wire.until_closed()) == "57P01"
        found = other.ask(f"select count(*) from pg_stat_activity where pid = {wire.process_id}")
        assert found == [("0",)]


def test_disconnect_rolls_back(database: Address) -> None:
    with Wire(database) as other:
        other.ask("create table t (a int primary key)")
        gone = Wire(database)
        gone.ask("begin")
        gone.ask("insert into t values (1)")
        gone.socket.close()  # without Terminate
        other.ask("set lock_timeout = '10s'")
        other.ask("insert into t values (1)")
        assert other.ask("select count(*) from t") == [("1",)]


def test_large_values(wire: Wire) -> None:
    big = b"x" * 3_000_000
    wire.send(*run("select length($1), $1", big), Sync())
    assert rows_of(wire.until_ready()) == [(str(len(big)).encode(), big)]


def test_a_zero_byte_in_text_is_refused(wire: Wire) -> None:
    wire.send(*run("select $1::text", b"a\0b"), Sync())
    assert code_of(wire.until_ready()) == "22021"
    wire.send(*run("select $1::text", b"\xff"), Sync())
    assert code_of(wire.until_ready()) == "22021"


def test_length_word_of_a_huge_message(wire: Wire) -> None:
    wire.send_bytes(b"Q" + struct.pack(">I", 0x7FFFFFFF))
    with pytest.raises(WireClosed):
        while True:
            wire.receive()
