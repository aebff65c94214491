"""A backend that answers every simple query with its text, for tests of the processes alone.

`sleep` blocks until cancelled or terminated, `die` kills the process, `xid` opens a transaction.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
from typing import Any

from pgemu.storage.procsignal import process_cancel_request


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class Cancelled(Exception):
    pass


def on_cancel(number: int, frame: Any) -> None:
    raise Cancelled


def on_terminate(number: int, frame: Any) -> None:
    raise SystemExit(0)


def start(sock: socket.socket, shm: Any) -> bool:
    while True:
        length, code = struct.unpack("!ii", receive(sock, 8))
        body = receive(sock, length - 8)
        if code in (80877103, 80877104):
            sock.sendall(b"N")
        elif code == 80877102:
            process_cancel_request(shm, struct.unpack("!i", body[:4])[0], body[4:])
            return False
        else:
            return True


def answer(slot: Any, shm: Any, text: bytes) -> bytes:
    if text == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == b"xid":
        slot.words[4] = shm.next_xid()
    if text == b"sleep":
        try:
            signal.pause()
        except Cancelled:
            body = b"SERROR\0VERROR\0C57014\0Mcanceling statement due to user request\0\0"
            return message(b"E", body)
    field = b"?column?\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
    return (
        message(b"T", struct.pack("!h", 1) + field)
        + message(b"D", struct.pack("!hi", 1, len(text)) + text)
        + message(b"C", b"SELECT 1\0")
    )


def backend_main(sock: socket.socket, cluster: Any, shm: Any, slot: Any, config: Any) -> None:
    signal.signal(signal.SIGINT, on_cancel)
    signal.signal(signal.SIGTERM, on_terminate)
    if not start(sock, shm):
        return
    slot.cancel_key = key = os.urandom(4)
    ready = message(b"Z", b"I")
    parameter = message(b"S", b"server_version\x0015.0\0")
    key_data = message(b"K", struct.pack("!i", os.getpid()) + key)
    sock.sendall(message(b"R", struct.pack("!i", 0)) + parameter + key_data + ready)
    while True:
        try:
            kind = receive(sock, 1)
            (length,) = struct.unpack("!i", receive(sock, 4))
            body = receive(sock, length - 4)
        except (EOFError, ConnectionError):
            return
        except Cancelled:
            continue
        if kind == b"X":
            return
        sock.sendall(answer(slot, shm, body.rstrip(b"\0")) + ready)
