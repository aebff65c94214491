"""The hand-written functions give the very bytes of the derived codec, for any input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_cases import BACKEND, FRONTEND

from pgemu_protocol import FrameReader, ProtocolViolation, hot
from pgemu_protocol import backend as b
from pgemu_protocol import frontend as f
from pgemu_protocol.backend import decode_backend
from pgemu_protocol.frontend import decode_frontend

values = st.lists(st.none() | st.binary(max_size=2000), max_size=5)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
formats = st.lists(st.integers(0, 1), max_size=3)
oids = st.lists(st.integers(0, 2**32 - 1), max_size=4)


@given(st.lists(values, max_size=4))
def test_rows(rows: list[list[bytes | None]]) -> None:
    derived = [b.DataRow(tuple(row)).encode() for row in rows]
    assert [hot.data_row(row) for row in rows] == derived
    assert hot.data_rows(rows) == b"".join(derived)


sized = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.none() | st.binary(max_size=2000), min_size=n, max_size=n),
        min_size=1,
        max_size=5,
    )
)


@given(sized)
def test_rows_of_columns(rows: list[list[bytes | None]]) -> None:
    columns = list(zip(*rows, strict=True))
    assert hot.data_rows_of_columns(columns) == hot.data_rows(rows)


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_copy_rows(rows: list[bytes]) -> None:
    assert hot.copy_data_rows(rows) == b"".join(map(hot.copy_data, rows))


int16, int32 = st.integers(-(2**15), 2**15 - 1), st.integers(-(2**31), 2**31 - 1)
uint32 = st.integers(0, 2**32 - 1)


@given(st.lists(st.tuples(words, uint32, int16, uint32, int16, int32, int16), max_size=4))
def test_row_description(fields: list[hot.FieldTuple]) -> None:
    derived = b.RowDescription(tuple(b.FieldDescription(*field) for field in fields))
    assert hot.row_description(fields) == derived.encode()


@given(words, words, int32, oids, formats)
def test_small(one: str, two: str, pid: int, types: list[int], columns: list[int]) -> None:
    assert hot.command_complete(one) == b.CommandComplete(one).encode()
    assert hot.parameter_status(one, two) == b.ParameterStatus(one, two).encode()
    assert hot.backend_key_data(pid, b"abcd") == b.BackendKeyData(pid, b"abcd").encode()
    assert (
        hot.notification_response(pid, one, two) == b.NotificationResponse(pid, one, two).encode()
    )
    assert hot.parameter_description(types) == b.ParameterDescription(tuple(types)).encode()
    assert hot.copy_in_response(0, columns) == b.CopyInResponse(0, tuple(columns)).encode()
    assert hot.copy_out_response(1, columns) == b.CopyOutResponse(1, tuple(columns)).encode()
    fields = ((b"S", one), (b"M", two))
    assert hot.error_response({"S": one, "M": two}) == b.ErrorResponse(fields).encode()
    assert hot.notice_response({"S": one, "M": two}) == b.NoticeResponse(fields).encode()
    assert hot.copy_data(one.encode()) == b.CopyData(one.encode()).encode()


def test_constants() -> None:
    assert b.ParseComplete().encode() == hot.PARSE_COMPLETE
    assert b.BindComplete().encode() == hot.BIND_COMPLETE
    assert b.CloseComplete().encode() == hot.CLOSE_COMPLETE
    assert b.NoData().encode() == hot.NO_DATA
    assert b.PortalSuspended().encode() == hot.PORTAL_SUSPENDED
    assert b.EmptyQueryResponse().encode() == hot.EMPTY_QUERY_RESPONSE
    assert b.CopyDone().encode() == hot.COPY_DONE
    assert b.AuthenticationOk().encode() == hot.AUTHENTICATION_OK
    for status in (b"I", b"T", b"E"):
        assert hot.ready_for_query(status) == b.ReadyForQuery(status).encode()


@given(words, words, oids)
def test_decode_parse(name: str, query: str, types: list[int]) -> None:
    payload = f.Parse(name, query, tuple(types)).payload()
    assert hot.decode_parse(payload) == (name, query, tuple(types))


@given(words, words, values, formats)
def test_decode_bind(portal: str, name: str, params: list[bytes | None], out: list[int]) -> None:
    payload = f.Bind(portal, name, (1,), tuple(params), tuple(out)).payload()
    assert hot.decode_bind(payload) == (portal, name, (1,), params, tuple(out))


@given(words, int32)
def test_decode_others(name: str, rows: int) -> None:
    assert hot.decode_execute(f.Execute(name, rows).payload()) == (name, rows)
    assert hot.decode_describe(f.Describe(b"S", name).payload()) == ("S", name)
    assert hot.decode_close(f.Close(b"P", name).payload()) == ("P", name)
    assert hot.decode_query(f.Query(name).payload()) == name
    assert hot.decode_copy_fail(f.CopyFail(name).payload()) == name
    call = f.FunctionCall(1, (), (b"x", None), 1).payload()
    assert hot.decode_function_call(call) == (1, (), [b"x", None], 1)


HOT_DECODERS = {
    b"B": hot.decode_bind,
    b"P": hot.decode_parse,
    b"E": hot.decode_execute,
    b"D": hot.decode_describe,
    b"C": hot.decode_close,
    b"Q": hot.decode_query,
    b"F": hot.decode_function_call,
}


@given(st.sampled_from(sorted(HOT_DECODERS)), st.binary(max_size=60))
def test_hot_and_derived_refuse_the_same(kind: bytes, payload: bytes) -> None:
    """What the derived codec takes the hot one takes, but for the checks that only it makes."""
    try:
        HOT_DECODERS[kind](payload)
        taken = True
    except ProtocolViolation as violation:
        taken = violation.sqlstate == "22021" or "formats but" in violation.message
    try:
        decode_frontend(kind[0], payload)
        derived = True
    except ProtocolViolation:
        derived = False
    assert taken == derived


@given(st.binary(max_size=200), st.integers(0, 255))
def test_garbage_never_breaks(data: bytes, kind: int) -> None:
    for decode in (decode_frontend, decode_backend):
        try:
            message = decode(kind, data)
        except ProtocolViolation:
            continue
        assert message.payload() == data
    reader = FrameReader()
    reader.feed(data)
    try:
        list(reader)
    except ProtocolViolation as violation:
        assert violation.message


@pytest.mark.parametrize(
    ("kind", "payload", "words", "sqlstate"),
    [
        ("Q", b"SELECT 1", "invalid string in message", "08P01"),
        ("Q", b"SELECT 1\0\0", "invalid message format", "08P01"),
        ("Q", b"a\xffb\0", 'invalid byte sequence for encoding "UTF8": 0xff', "22021"),
        ("Q", b"\xe4b\0", 'invalid byte sequence for encoding "UTF8": 0xe4 0x62', "22021"),
        ("P", b"\0SELECT\0\0", "insufficient data left in message", "08P01"),
        ("P", b"\0x\0\0\1\0\0", "insufficient data left in message", "08P01"),
        ("B", b"\0\0\0\2\0\1\0\1\0\1\0\0\0\1x\0\0",
         "bind message has 2 parameter formats but 1 parameters", "08P01"),
        ("B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0", "insufficient data left in message", "08P01"),
        ("D", b"", "no data left in message", "08P01"),
        ("E", b"\0\0\0", "insufficient data left in message", "08P01"),
    ],
)  # fmt: skip
def test_words(kind: str, payload: bytes, words: str, sqlstate: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        HOT_DECODERS[kind.encode()](payload)
    assert (caught.value.message, caught.value.sqlstate) == (words, sqlstate)


def test_cases_cover_every_message() -> None:
    named = {type(message) for message, _ in FRONTEND + BACKEND}
    assert set(f.FRONTEND_MESSAGES.values()) <= named
    assert set(b.BACKEND_MESSAGES.values()) | set(b.AUTHENTICATION_MESSAGES.values()) <= named
