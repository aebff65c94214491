"""NOTIFY's queue (PostgreSQL's async.c): notifications go out when their transaction commits.

PostgreSQL writes them to a queue that every listener reads; here the committer sends one message
per transaction to the latch of each listener of the database, which keeps what the kernel does not
(latch.py).  A lock, taken before the commit and held until the messages are out, makes the order of
messages that of commits, and is the moment at which a LISTEN begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.storage.cluster import Cluster
from pgemu.storage.filelock import FileLock
from pgemu.storage.latch import NOTIFY, Latch, LatchSender
from pgemu.storage.procarray import DATABASE, LISTENING, PID, USER_WORD
from pgemu.transam.xact import IDLE

NAMEDATALEN = 64
PAYLOAD_MAX_LENGTH = 8000

# Words of a listener's slot: bytes of notifications that were sent to it (written under the lock
# of the database's senders), and that it has taken.
SENT_BYTES, TAKEN_BYTES = USER_WORD + 1, USER_WORD
BLOCK_SIZE, QUEUE_PAGES = 8192, 0x7FFFFFFF // 2048  # half of QUEUE_MAX_PAGE

Notification = tuple[int, str, str]


def entry_bytes(messages: Iterable[Sequence[str]]) -> int:
    """What notifications (channel, payload) take in PostgreSQL's queue (AsyncQueueEntry)."""
    return sum((18 + len(c.encode()) + len(p.encode()) + 3) & ~3 for c, p in messages)


def queue_usage(procarray: Any) -> float:
    """asyncQueueUsage: how far the slowest listener is behind, in whole pages."""
    behind = [
        (sent - taken) // BLOCK_SIZE
        for sent, taken, listening in zip(
            procarray.column(SENT_BYTES),
            procarray.column(TAKEN_BYTES),
            procarray.column(LISTENING),
            strict=True,
        )
        if listening
    ]
    return max(behind, default=0) / QUEUE_PAGES


class NotifyQueue:
    """What this session listens to, what its transaction will send, what came in."""

    def __init__(self, session: Any, cluster: Cluster, latch: Latch, sender: LatchSender) -> None:
        self.session = session
        self.latch = latch
        self.sender = sender
        self.channels: dict[str, None] = {}
        # of the current transaction
        self._pending: dict[tuple[str, str], None] = {}
        self._actions: list[tuple[str, str]] = []
        self._marks: list[tuple[int, int]] = []
        self._own: list[Notification] = []
        database = session.ctx.database_oid
        words = session.slot.words
        words[SENT_BYTES] = words[TAKEN_BYTES] = 0
        self._lock = FileLock(f"{cluster.runtime}/lock.notify.{database}")
        self._locked = False
        session.xact.before_commit.append(self.before_commit)
        session.xact.on_end.append(self.on_end)
        session.xact.on_subxact.append(self._subtransaction)

    # -- the statements ------------------------------------------------------------------------

    def notify(self, channel: str | None, payload: str | None) -> None:
        """Async_Notify: queue until commit; the same twice is sent once."""
        channel, payload = channel or "", payload or ""
        if not channel:
            raise PgError(INVALID_PARAMETER_VALUE, "channel name cannot be empty")
        if len(channel.encode()) >= NAMEDATALEN:
            raise PgError(INVALID_PARAMETER_VALUE, "channel name too long")
        if len(payload.encode()) >= PAYLOAD_MAX_LENGTH:
            raise PgError(INVALID_PARAMETER_VALUE, "payload string too long")
        self._pending[channel, payload] = None

    def listen(self, channel: str) -> None:
        self._actions.append(("listen", channel))

    def unlisten(self, channel: str) -> None:
        """Of one channel, or of all ("")."""
        if self.channels or self._actions:
            self._actions.append(("unlisten", channel))

    @property
    def used(self) -> bool:
        """The transaction has executed LISTEN, UNLISTEN or NOTIFY (it cannot be prepared)."""
        return bool(self._pending or self._actions)

    # -- the transaction -----------------------------------------------------------------------

    def before_commit(self) -> None:
        if (self._pending or self._actions) and not self._locked:
            self._lock.acquire()
            self._locked = True

    def on_end(self, committed: bool) -> None:
        if committed and (self._pending or self._actions):
            self.before_commit()
            self._apply_actions()
            self._send()
        if self._locked:
            self._lock.release()
            self._locked = False
        if self._pending or self._actions or self._marks:
            self._pending, self._actions, self._marks = {}, [], []

    def _subtransaction(self, event: str) -> None:
        if event == "start":
            self._marks.append((len(self._pending), len(self._actions)))
        elif self._marks:
            pending, actions = self._marks.pop()
            if event == "abort":
                self._pending = dict.fromkeys(list(self._pending)[:pending])
                del self._actions[actions:]

    def _apply_actions(self) -> None:
        for action, channel in self._actions:
            if action == "listen":
                self.channels[channel] = None
            elif channel:
                self.channels.pop(channel, None)
            else:
                self.channels.clear()
        self.session.slot.words[LISTENING] = len(self.channels)

    def _send(self) -> None:
        if not self._pending:
            return
        session = self.session
        pid, own = session.slot.pid, session.slot.number
        messages = list(self._pending)
        if self.channels and self.session.xact.state == IDLE:
            self._take()  # what has been sent before comes before
        self._own.extend((pid, *m) for m in messages if m[0] in self.channels)
        procarray = session.shm.procarray
        data = b""
        for number, (listening, of, who) in enumerate(
            zip(procarray.column(LISTENING), procarray.column(DATABASE), procarray.column(PID),
                strict=True)
        ):  # fmt: skip
            if listening and who and number != own and of == session.ctx.database_oid:
                data = data or json.dumps([pid, messages]).encode()
                procarray.slot(number).words[SENT_BYTES] += entry_bytes(messages)
                self.sender.send(number, NOTIFY, data)

    # -- receiving -----------------------------------------------------------------------------

    def before_ready(self) -> bool:
        """Before ReadyForQuery outside of a transaction block: a statement by itself has
        committed.  True: there may be something to collect."""
        if self._pending or self._actions:
            self.on_end(True)
        return bool(self._own or self.channels or self.latch.inbox)

    def collect(self) -> Sequence[Notification]:
        """What is to be sent to the client: (pid, channel, payload), in order.  Call it when the
        session is idle, after latch.drain(), and before ReadyForQuery."""
        if not (self._own or self.channels or self.latch.inbox) or self.session.xact.state != IDLE:
            return ()
        self._take()
        found, self._own = self._own, []
        return found

    def _take(self) -> None:
        """What other sessions have sent."""
        if self.channels:
            self.latch.drain()
        for data in self.latch.take(NOTIFY):
            pid, messages = json.loads(data)
            self.session.slot.words[TAKEN_BYTES] += entry_bytes(messages)
            self._own.extend((pid, c, p) for c, p in messages if c in self.channels)

    def close(self) -> None:
        """The session ends."""
        self.channels.clear()
        self.session.slot.words[LISTENING] = 0
        self._lock.close()
