"""First packets, raw: what the server answers, byte for byte as PostgreSQL 15 does."""

from __future__ import annotations

import socket
import struct
import threading

import pytest
from one_session_server import Server

from pgemu.errors import PgError
from pgemu.libpq import Connection, ConnectionLost
from pgemu.libpq.crypt import (
    encrypt_password,
    get_password_type,
    parse_scram_verifier,
    plain_crypt_verify,
    scram_verifier,
)
from pgemu.libpq.hba import Client, check_hba, parse_hba
from pgemu.libpq.startup import parse_options
from pgemu_protocol import ProtocolViolation

TRUST = "host all all all trust"


def packet(version: int, body: bytes) -> bytes:
    return struct.pack(">II", len(body) + 8, version) + body


V3 = 3 << 16
SSL = packet(80877103, b"")
GSS = packet(80877104, b"")
USER = b"user\0nopassword\0"


def converse(sent: bytes) -> tuple[bytes, Server]:
    with Server(TRUST) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        got = b""
        while data := client.recv(65536):
            got += data
    return got, server


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            packet(2 << 16, b"x"),
            b"EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n\0",
        ),
        (
            packet(4 << 16, b"x"),
            b"E\0\0\0\x5eSFATAL\0VFATAL\0C0A000\0"
            b"Munsupported frontend protocol 4.0: server supports 3.0 to 3.0\0\0",
        ),
        (
            packet(V3, b"\0"),
            b"E\0\0\0\x53SFATAL\0VFATAL\0C28000\0"
            b"Mno PostgreSQL user name specified in startup packet\0\0",
        ),
        (
            packet(V3, USER),
            b"E\0\0\0\x5fSFATAL\0VFATAL\0C08P01\0"
            b"Minvalid startup packet layout: expected terminator as last byte\0\0",
        ),
        (b"GET / HTTP/1.0\r\n\r\n", b""),
        (b"\0\0\0\3", b""),
        (packet(80877102, b"\0\0\0\5abcd"), b""),
        (SSL, b"N"),
        (GSS, b"N"),
    ],
)
def test_first_packets(sent: bytes, expected: bytes) -> None:
    got, _ = converse(sent)
    assert got[:1] + got[5:] == expected[:1] + expected[5:]


def test_data_sent_with_the_ssl_request() -> None:
    got, _ = converse(SSL + b"abc")
    assert got.startswith(b"NE")
    assert b"Mreceived unencrypted data after SSL request\0" in got


def test_newer_minor_is_negotiated() -> None:
    got, server = converse(packet(V3 | 9999, USER + b"_pq_.test\0x\0\0") + b"X\0\0\0\4")
    assert got.startswith(b"v\0\0\0\x16\0\3\0\0\0\0\0\1_pq_.test\0R\0\0\0\x08\0\0\0\0S")
    assert got.endswith(b"K\0\0\0\x0c\0\0\0\7abcdZ\0\0\0\5I")
    assert server.errors == []


def test_unknown_message_type() -> None:
    got, _ = converse(packet(V3, USER + b"\0") + b"x\0\0\0\4")
    assert got.endswith(b"SFATAL\0VFATAL\0C08P01\0Minvalid frontend message type 120\0\0")


def pair() -> tuple[Connection, socket.socket]:
    ours, theirs = socket.socketpair()
    return Connection(ours), theirs


def test_pipelined_and_split_messages() -> None:
    connection, client = pair()
    big = b"Q" + struct.pack(">I", 300_004) + b"x" * 300_000
    whole = b"S\0\0\0\4" + b"H\0\0\0\4" + big + b"S\0\0\0\4"
    sender = threading.Thread(target=lambda: [client.sendall(whole[:7]), client.sendall(whole[7:])])
    sender.start()
    got = [connection.read_message() for _ in range(4)]
    sender.join()
    assert [(kind, len(payload)) for kind, payload in got] == [
        (83, 0),
        (72, 0),
        (81, 300_000),
        (83, 0),
    ]
    assert not connection.has_buffered_input()
    client.close()
    with pytest.raises(ConnectionLost) as lost:
        connection.read_message()
    assert lost.value.clean
    connection.close()


def test_cut_short() -> None:
    connection, client = pair()
    client.sendall(b"Q\0\0\0\x09a")
    client.close()
    with pytest.raises(ConnectionLost) as lost:
        connection.read_message()
    assert not lost.value.clean
    connection.close()


def test_lengths() -> None:
    connection, client = pair()
    client.sendall(b"Q\0\0\0\3")
    with pytest.raises(ProtocolViolation, match="invalid message length"):
        connection.read_message()
    client.close()
    connection.close()


def test_waiting() -> None:
    connection, client = pair()
    latch, setter = socket.socketpair()
    assert connection.wait_for_message(latch.fileno(), 0.001) == "timeout"
    setter.send(b"x")
    assert connection.wait_for_message(latch.fileno(), 1) == "latch"
    assert connection.wait_for_message(None, 0) == "timeout"
    client.sendall(b"S\0\0\0\4S\0\0\0\4")
    assert connection.wait_for_message(None) == "client"
    connection.read_message()
    assert connection.wait_for_message(latch.fileno()) == "client"
    assert connection.is_connected()
    client.close()
    assert not connection.is_connected()
    for sock in (latch, setter):
        sock.close()
    connection.close()


def test_verifiers() -> None:
    text = scram_verifier("pencil", b"0123456789abcdef")
    verifier = parse_scram_verifier(text)
    assert verifier is not None and verifier.salt == b"0123456789abcdef"
    assert plain_crypt_verify("x", text, "pencil")
    assert not plain_crypt_verify("x", text, "pencils")
    assert get_password_type(text) == "scram-sha-256"
    assert encrypt_password("md5", "u", text) == text
    # PostgreSQL 15 stored these two for the password "foo".
    stored = (
        "SCRAM-SHA-256$4096:/hfVVCfziNJqiHSI3rOaOQ==$FzN8TuMY1xXG4KunZ/9fK7vkpkR0aub0iXeSOpyzvoU="
        ":fcfyZ2hqueK1AWbTPoUTK0rROdxkxjDz4BQ5sUHNWTs="
    )
    known = parse_scram_verifier(stored)
    assert known is not None and scram_verifier("foo", known.salt) == stored
    hashed = "md5af82ba0327df762132efd543528866ba"
    assert encrypt_password("md5", "h_guc_probe", "foo") == hashed
    assert plain_crypt_verify("h_guc_probe", hashed, "foo")
    assert get_password_type("SCRAM-SHA-256$4096:x$y:z") == "plaintext"


def test_options() -> None:
    assert parse_options(r"-c a.b=c\ d -cx=1 --enable-sort=off -S 64 -F") == [
        ("a.b", "c d"),
        ("x", "1"),
        ("enable_sort", "off"),
        ("work_mem", "64"),
        ("fsync", "off"),
    ]
    with pytest.raises(PgError, match="invalid command-line argument"):
        parse_options("-z")


HBA = """
# comment
local all all trust
host replication all 127.0.0.1/32 trust
host sameuser all samehost scram-sha-256
hostssl "all",db2 +admins,bob 10.0.0.0 255.0.0.0 md5  # tail
hostnossl all all ::1/128 \\
    reject
"""


@pytest.mark.parametrize(
    ("client", "method"),
    [
        (Client("u", "d", None), "trust"),
        (Client("u", "u", "127.0.0.1"), "scram-sha-256"),
        (Client("u", "d", "127.0.0.1"), None),
        (Client("bob", "all", "10.1.2.3", True), "md5"),
        (Client("bob", "db2", "10.1.2.3", True), "md5"),
        (Client("eve", "db2", "10.1.2.3", True), "md5"),
        (Client("u", "db2", "10.1.2.3", True), None),
        (Client("bob", "db2", "10.1.2.3"), None),
        (Client("u", "d", "::1"), "reject"),
        (Client("u", "d", "::1", True), None),
    ],
)
def test_hba(client: Client, method: str | None) -> None:
    line = check_hba(parse_hba(HBA), client, lambda user, role: user == "eve" and role == "admins")
    assert (line.method if line else None) == method


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hst all all all trust", 'invalid connection type "hst"'),
        ("host all all all", "end-of-line before authentication method"),
        ("host all all 10.0.0.300/8 trust", 'invalid IP address "10.0.0.300/8"'),
        ("host all all all foo", 'invalid authentication method "foo"'),
        ("local all", "end-of-line before role specification"),
    ],
)
def test_bad_hba(text: str, words: str) -> None:
    with pytest.raises(PgError) as caught:
        parse_hba(text)
    assert caught.value.message == words
    assert caught.value.where == 'line 1 of configuration file "pg_hba.conf"'
