"""A server whose backends die by SIGKILL in the middle of a write to a database file.

`python -m tests.crash.dying_server serve ...` is `pgemu serve ...` with SQLite's writes counted:
the file named by $PGEMU_DEATH_FILE holds "pid n mode"; at its n-th write since then the backend
with that pid kills itself ("backend") or the postmaster and then itself ("server"); where n is 0 it
notes in a second file how many writes it makes.  Mode "line": not at a write, but before the n-th
line of transam/, storage/ and LINES_OF that it runs.  Mode "saved" or "occupied": it dies inside
PREPARE TRANSACTION, with its file written, or with the slot of the prepared transaction taken too;
"finished" or "removed": inside COMMIT PREPARED, with all rows done, or with the file gone too.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

import apsw

from pgemu.testing import PgemuServer
from pgemu.transam import twophase

DEATH_FILE = "PGEMU_DEATH_FILE"
LINES_OF = (
    "tcop/prepared_xacts.py", "tcop/xact_commands.py", "commands/dbcommands.py",
    "executor/committing.py", "executor/lone_modify.py",
)  # fmt: skip


class DyingServer(PgemuServer):
    """PgemuServer with such backends; kill_at() arms the death of one of them."""

    death_file = ""

    def _command(self, ready_fd: int) -> list[str]:
        command = super()._command(ready_fd)
        at = command.index("pgemu")
        return [*command[:at], "tests.crash.dying_server", *command[at + 1 :]]

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), DEATH_FILE: self.death_file}

    def kill_at(self, pid: int, write: int, mode: str = "backend") -> None:
        with open(self.death_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{pid} {write} {mode}")
        os.rename(self.death_file + ".new", self.death_file)

    def writes(self) -> int:
        """How many writes were made under kill_at(pid, 0)."""
        with open(self.death_file + ".count", encoding="ascii") as file:
            return int(file.read())

    def place(self) -> str:
        """The line at which the last one died."""
        with open(self.death_file + ".place", encoding="ascii") as file:
            return file.read()

    def disarm(self) -> None:
        if os.path.exists(self.death_file):
            os.unlink(self.death_file)


class Countdown:
    """How many writes this process has made under the current order."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.order = ""
        self.count = 0

    def order_for_me(self) -> str:
        """The mode of an order that is for this process; else nothing."""
        try:
            with open(self.path, encoding="ascii") as file:
                pid, _, mode = file.read().split()
        except FileNotFoundError:
            return ""
        return mode if int(pid) == os.getpid() else ""

    def tick(self) -> None:
        try:
            with open(self.path, encoding="ascii") as file:
                order = file.read()
        except FileNotFoundError:
            return
        pid, at, mode = order.split()
        if int(pid) != os.getpid() or mode == "line":
            return
        if order != self.order:
            self.order, self.count = order, 0
        self.count += 1
        if at == "0":
            with open(self.path + ".count", "w", encoding="ascii") as file:
                file.write(str(self.count))
        if self.count == int(at):
            if mode == "server":
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)


class LineCountdown:
    """Counts the lines that a backend runs while it serves messages."""

    def __init__(self, countdown: Countdown) -> None:
        self.countdown = countdown
        self.order = ""
        self.count = self.last = 0

    def dispatch(self, original: Any, backend: Any, kind: int, payload: bytes) -> None:
        if self.countdown.order_for_me() != "line":
            original(backend, kind, payload)
            return
        with open(self.countdown.path, encoding="ascii") as file:
            order = file.read()
        if order != self.order:
            self.order, self.count, self.last = order, 0, int(order.split()[1])
        sys.settrace(self._calls)
        try:
            original(backend, kind, payload)
        finally:
            sys.settrace(None)
            if not self.last:
                with open(self.countdown.path + ".count", "w", encoding="ascii") as file:
                    file.write(str(self.count))

    def _calls(self, frame: FrameType, event: str, arg: object) -> Any:
        name = frame.f_code.co_filename
        _, _, name = name.rpartition("/pgemu/")
        return (
            self._lines if name.startswith(("transam/", "storage/")) or name in LINES_OF else None
        )

    def _lines(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line":
            self.count += 1
            if self.count == self.last:
                with open(self.countdown.path + ".place", "w", encoding="ascii") as file:
                    file.write(f"{frame.f_code.co_filename}:{frame.f_lineno}")
                os.kill(os.getpid(), signal.SIGKILL)
        return self._lines


def die_at_a_line(countdown: Countdown) -> None:
    from pgemu.tcop.postgres import Backend

    original, lines = Backend._dispatch, LineCountdown(countdown)

    def dispatch(self: Backend, kind: int, payload: bytes) -> None:
        lines.dispatch(original, self, kind, payload)

    Backend._dispatch = dispatch  # type: ignore[method-assign]


def die_in_prepare(countdown: Countdown, name: str, mode: str) -> None:
    """Let the function of that name in twophase.py be the last that a backend calls."""
    function = getattr(twophase, name)

    def last(*args: Any, **options: Any) -> None:
        function(*args, **options)
        if countdown.order_for_me() == mode:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(twophase, name, last)


def install(path: str) -> Any:
    countdown = Countdown(path)
    die_in_prepare(countdown, "save", "saved")
    die_in_prepare(countdown, "occupy", "occupied")
    die_in_prepare(countdown, "finish", "finished")
    die_in_prepare(countdown, "remove", "removed")
    die_at_a_line(countdown)
    base = apsw.vfs_names()[0]

    class DyingFile(apsw.VFSFile):  # type: ignore[misc]
        def xWrite(self, data: bytes, offset: int) -> None:
            countdown.tick()
            super().xWrite(data, offset)

    class DyingVFS(apsw.VFS):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("dying", base, makedefault=True)

        def xOpen(self, name: Any, flags: list[int]) -> Any:
            return DyingFile(base, name, flags)

    return DyingVFS()


if __name__ == "__main__":
    import pgemu.storage.connection  # noqa: F401  (configures SQLite before it is used)
    from pgemu.cli import main

    _vfs = install(os.environ[DEATH_FILE])
    sys.exit(main())
