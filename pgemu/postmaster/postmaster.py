"""The postmaster: listens, keeps spare backends, reaps and recovers, shuts down.

Counterpart of PostgreSQL's postmaster.c.  One thread, no event loop, nothing of SQLite open: so it
may fork at any time.  It sleeps in poll() on the signal pipe, the status pipe of the spares and, if
it is to die with its parent, on that one's pidfd.  It never touches a client's bytes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgemu.errors import CONFIG_FILE_ERROR, PgError
from pgemu.guc import Settings
from pgemu.guc.config_files import (
    apply_entries,
    file_with_error,
    initial_settings,
    read_entries,
)
from pgemu.guc.guc_file import ConfigLine
from pgemu.postmaster.backend_startup import STATUS, SpareBackend, become_child, run_child
from pgemu.postmaster.bootstrap import make_cluster
from pgemu.postmaster.config import ServerConfig, log, resolve, set_log_format
from pgemu.postmaster.listen import bind_sockets, bound_port, close_sockets, start_listening
from pgemu.storage.cluster import Cluster, ClusterError
from pgemu.storage.latch import LatchSender, latch_path, overflow_path, remove_latch_files
from pgemu.storage.locktable import LockTable
from pgemu.storage.procarray import DATABASE, FINISHING_XID, XID, Slot
from pgemu.storage.shmem import (
    FAST_SHUTDOWN,
    IMMEDIATE_SHUTDOWN,
    RUNNING,
    SMART_SHUTDOWN,
    SharedMemory,
)
from pgemu.tcop.heap_holes import fill_holes

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD)
FAST_PATIENCE = 5.0  # seconds that backends get to end after SIGTERM
LATE_IMPORT_DELAY = 0.05  # seconds of quiet before what is only needed later gets loaded
RESPAWN_DELAY = 0.5  # after a spare died without having served


@dataclass
class Children:
    """Pids by role."""

    spares: set[int] = field(default_factory=set)
    backends: set[int] = field(default_factory=set)
    recoveries: dict[int, int] = field(default_factory=dict)  # pid -> slot being recovered
    checkpointer: int = 0


class Postmaster:
    """run() serves until a signal ends it and returns the exit code."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.children = Children()
        self.sockets: list[socket.socket] = []
        self.port = config.port
        self._pending: list[int] = []
        self._shutdown = RUNNING
        self._deadline = 0.0
        self._respawn_at = 0.0
        self._late = list(config.late_imports)
        self._fillers: list[object] = []
        self._late_steps: Iterator[object] | None = None
        self._ready_fd = config.ready_fd
        self._settings: Settings | None = None  # what was logged as in force, at the last reload
        self._retired: set[int] = set()  # children that end after the connection they serve
        self.cluster: Cluster
        self.shm: SharedMemory
        self.locks: LockTable

    # -- start -----------------------------------------------------------------------------------

    def run(self) -> int:
        config = self.config
        self.sockets = bind_sockets(config.hosts, config.port, config.unix_socket_dir)
        self.port = bound_port(self.sockets, config.port)
        try:
            self.cluster = make_cluster(config)
        except BaseException:
            close_sockets(self.sockets)
            raise
        try:
            self._start()
            return self._loop()
        finally:
            self._clean_up()

    def _start(self) -> None:
        """From the cluster on: shared memory, imports, children; then the port opens."""
        config, cluster = self.config, self.cluster
        self._wakeup, writer = socket.socketpair()
        self._wakeup.setblocking(False)
        writer.setblocking(False)
        self._wakeup_writer = writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._status_read, self._status_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._death_read, self._death_write = os.pipe2(os.O_CLOEXEC)
        self._retire_read, self._retire_write = os.pipe2(os.O_CLOEXEC)
        self._parent_fd = self._watch_parent()
        self._file_settings()
        self.shm = SharedMemory.create(
            cluster.shm_path, self._max_connections, cluster.counters_path
        )
        self.shm.set_postmaster(os.getpid(), self.port)
        config.shm = self.shm
        config.start_with(config.started)
        self.locks = LockTable.create(cluster.locks_path, self.shm.procarray)
        self._sender = LatchSender(cluster.runtime)
        importlib.import_module("ctypes")
        if resolve(config.backend) is None:
            raise ClusterError(f'no backend: cannot import "{config.backend}"')
        self._recover_cluster()
        gc.freeze()
        start_listening(self.sockets)
        self._spawn_spares()
        self._spawn_checkpointer()
        self._announce()

    def _file_settings(self) -> None:
        """The configuration files; a fresh cluster's have no entries, and are not looked at."""
        config, cluster = self.config, self.cluster
        if config.settings:
            try:
                Settings(config.settings)
            except PgError as error:
                raise ClusterError(error.message) from error
        if not cluster.ephemeral:
            entries = read_entries((cluster.config_path, cluster.auto_config_path))
            said: list[PgError | str] = list(map(_fault, entries.faults))
            if entries.found and not said:
                said += apply_entries(Settings(config.settings), entries, starting=True)
            errors = [error for error in said if isinstance(error, PgError)]
            for fault in errors:
                log("LOG", fault.message)
            if errors:
                file = file_with_error(entries, errors, cluster.config_path)
                raise ClusterError(f'configuration file "{file}" contains errors')
            config.start_with(entries)
        set_log_format(config.file_settings(cluster))
        text = config.file_settings(cluster).get("max_connections", "100")
        if not text.isdigit() or not 1 <= int(text) <= 262143:
            raise ClusterError(f'invalid value for parameter "max_connections": "{text}"')
        self._max_connections = int(text)

    def _watch_parent(self) -> int:
        """A descriptor that becomes readable when the parent dies, however it dies."""
        if not self.config.die_with_parent:
            return -1
        parent = self.config.parent_pid or os.getppid()
        if os.getppid() != parent:
            raise ClusterError("the parent process has ended already")
        try:
            return os.pidfd_open(parent)
        except (AttributeError, OSError):
            from pgemu.postmaster.backend_startup import set_parent_death_signal

            set_parent_death_signal(signal.SIGINT)
            return -1

    def _recover_cluster(self) -> None:
        """Roll back what a crash of the whole server left open, in a child of its own."""
        if self.cluster.ephemeral:
            return
        recover = resolve(self.config.recover_cluster)
        if recover is None:
            return
        pid = os.fork()
        if pid == 0:

            def body() -> int:
                recover(self.cluster, self.shm)
                return 0

            run_child(body)
        _, status = os.waitpid(pid, 0)
        if status:
            raise ClusterError(f'recovery of data folder "{self.cluster.data}" failed')

    def _announce(self) -> None:
        """The port is open: tell whoever waits for it."""
        self.shm.shutdown_state = RUNNING
        config = self.config
        dsn = config.dsn(self.port)
        self.cluster.write_lock_file(
            self.port, config.unix_socket_dir, ",".join(config.hosts), "ready"
        )
        if self._ready_fd >= 0:
            try:
                os.write(self._ready_fd, f"{dsn}\n".encode())
                os.close(self._ready_fd)
            except OSError as error:
                log("LOG", f"could not write to the ready descriptor: {error.strerror}")
            self._ready_fd = -1
        try:
            if not config.quiet:
                os.write(1, f"{dsn}\nready\n".encode())
        except OSError:
            pass  # nobody reads standard output
        log("LOG", "database system is ready to accept connections")

    # -- children --------------------------------------------------------------------------------

    def _fork(self, *, guardian: bool = False) -> int:
        """fork(); in the child, the postmaster's own descriptors are closed."""
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            gc.freeze()  # what is the postmaster's is not to be written to by collections
            gc.enable()
            become_child(parent, guardian)
            os.close(self._death_write)
            os.close(self._retire_write)
            os.close(self._status_read)
            self._wakeup.close()
            self._wakeup_writer.close()
            for fd in (self._parent_fd, self._ready_fd):
                if fd >= 0:
                    os.close(fd)
        return pid

    def _spawn_spares(self) -> None:
        if self._shutdown != RUNNING or time.monotonic() < self._respawn_at:
            return
        while len(self.children.spares) < self.config.spares:
            pid = self._fork()
            if pid == 0:
                spare = SpareBackend(
                    self.config,
                    self.cluster,
                    self.shm,
                    self.sockets,
                    self._status_write,
                    (self._death_read, self._retire_read),
                )
                run_child(spare.run)
            self.children.spares.add(pid)

    def _spawn_checkpointer(self) -> None:
        paths = [s.getsockname() for s in self.sockets if s.family == socket.AF_UNIX]
        pid = self._fork(guardian=True)
        if pid == 0:
            from pgemu.postmaster.checkpointer import Checkpointer

            close_sockets(self.sockets, unlink=False)
            os.close(self._status_write)
            worker = Checkpointer(self.config, self.cluster, self.shm, self._death_read, paths)
            run_child(worker.run)
        self.children.checkpointer = pid

    def _read_status(self) -> None:
        """Spares that have got a connection are backends now."""
        try:
            data = os.read(self._status_read, 4096)
        except BlockingIOError:
            return
        for (pid,) in STATUS.iter_unpack(data):
            if pid in self.children.spares:
                self.children.spares.discard(pid)
                self.children.backends.add(pid)
            elif -pid in self.children.backends and -pid not in self._retired:
                self.children.backends.discard(-pid)
                self.children.spares.add(-pid)

    def _reap(self) -> None:
        self._read_status()
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._child_ended(pid, status)

    def _child_ended(self, pid: int, status: int) -> None:
        children = self.children
        code = os.waitstatus_to_exitcode(status)
        if pid in children.recoveries:
            number = children.recoveries.pop(pid)
            if code != 0:
                log("LOG", f"recovery of a transaction failed, exit code {code}")
            self._free_slot(self.shm.procarray.slot(number))
            return
        if pid == children.checkpointer:
            children.checkpointer = 0
            self._free_slots_of(pid, code)
            if self._shutdown == RUNNING:
                log("LOG", f"checkpointer process (PID {pid}) {_describe(code)}")
                self._spawn_checkpointer()
            return
        self._retired.discard(pid)
        if pid in children.spares:
            children.spares.discard(pid)
            if code and self._shutdown == RUNNING:
                log("LOG", f"spare backend (PID {pid}) {_describe(code)}")
                self._respawn_at = time.monotonic() + RESPAWN_DELAY
        children.backends.discard(pid)
        if code and self._shutdown == RUNNING:
            log("LOG", f"server process (PID {pid}) {_describe(code)}")
        self._free_slots_of(pid, code)

    def _free_slots_of(self, pid: int, code: int) -> None:
        """A dead child's slot: at once, or after its transaction was rolled back."""
        slot = self.shm.procarray.find_by_pid(pid)
        if slot is None:
            return
        if code:  # a commit that it had done may not have been announced
            self.shm.bump_builtin_version(slot.words[DATABASE])
            self.shm.bump_catalog_version(0)
        unfinished = slot.words[XID] or slot.words[FINISHING_XID]
        recover = resolve(self.config.recover_backend) if unfinished else None
        if recover is None or self._shutdown == IMMEDIATE_SHUTDOWN:
            self._free_slot(slot)
            return
        recovery = self._fork()
        if recovery == 0:

            def body() -> int:
                recover(self.cluster, self.shm, slot)
                return 0

            close_sockets(self.sockets, unlink=False)
            run_child(body)
        self.children.recoveries[recovery] = slot.number

    def _free_slot(self, slot: Slot) -> None:
        """Release what a dead process held in shared memory and wake who waited for it."""
        number = slot.number
        runtime = self.cluster.runtime
        slot.words[XID] = 0
        woken = self.locks.release_slot(number)
        remove_latch_files(latch_path(runtime, number), overflow_path(runtime, number))
        self.shm.procarray.release(slot)
        for waiter in woken:
            self._sender.wake(waiter)

    # -- the loop --------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: object) -> None:
        self._pending.append(number)

    def _loop(self) -> int:
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        poll.register(self._status_read, select.POLLIN)
        if self._parent_fd >= 0:
            poll.register(self._parent_fd, select.POLLIN)
        while not self._finished():
            events = poll.poll(self._timeout())
            for fd, _ in events:
                if fd == self._wakeup.fileno():
                    self._wakeup.recv(4096)
                elif fd == self._parent_fd:
                    log("LOG", "the parent process has ended")
                    poll.unregister(fd)
                    self._pending.append(signal.SIGINT)
            self._handle_signals()
            self._read_status()
            if not events:
                self._import_late()
            self._spawn_spares()
            self._enforce_deadline()
        return 0

    def _timeout(self) -> float | None:
        """Milliseconds to sleep at most."""
        if self._deadline:
            return max(0.0, self._deadline - time.monotonic()) * 1000 + 1
        if len(self.children.spares) < self.config.spares and self._shutdown == RUNNING:
            return max(0.0, self._respawn_at - time.monotonic()) * 1000 + 1
        if self._late:
            return LATE_IMPORT_DELAY * 1000 if self._late_steps is None else 1
        return None

    def _import_late(self) -> None:
        """In a quiet moment: load a little of what statements need.  After the last of it the
        spares, which lack it, are replaced."""
        if not self._late or self._shutdown != RUNNING:
            return
        if self._late_steps is None:
            module = importlib.import_module(self._late[0])
            steps = getattr(module, "steps", None)
            self._late_steps = steps(self.cluster, self.shm, self.config) if steps else iter(())
        elif next(self._late_steps, self) is self:
            self._late_steps = None
            del self._late[0]
            if not self._late:
                gc.collect()
                self._fillers = fill_holes()
                gc.freeze()
                self._retire_spares()

    def _retire_spares(self) -> None:
        """End the idle spares.  They see the pipe close before they accept again; one that is
        accepting at this moment serves its connection first."""
        os.close(self._retire_write)
        os.close(self._retire_read)
        self._retire_read, self._retire_write = os.pipe2(os.O_CLOEXEC)
        self.children.backends |= self.children.spares
        self._retired |= self.children.backends
        self.children.spares.clear()

    def _handle_signals(self) -> None:
        while self._pending:
            number = self._pending.pop(0)
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGHUP:
                self._reload()
            elif number == signal.SIGQUIT:
                self._begin_shutdown(IMMEDIATE_SHUTDOWN)
            elif number == signal.SIGINT or self.config.sigterm_is_fast:
                self._begin_shutdown(FAST_SHUTDOWN)
            else:
                self._begin_shutdown(SMART_SHUTDOWN)

    def _reload(self) -> None:
        """SIGHUP: say what changes, and let the backends do the same for themselves."""
        log("LOG", "received SIGHUP, reloading configuration files")
        config, cluster = self.config, self.cluster
        if self._settings is None:
            before = config.entries(cluster)
            self._settings = initial_settings(config.settings, config.started, before)
        self.shm.bump_config_generation()
        entries = read_entries((cluster.config_path, cluster.auto_config_path))
        said: list[PgError | str] = list(map(_fault, entries.faults))
        applied = "no"
        if not said:
            said = apply_entries(self._settings, entries)
            applied = "unaffected"
        for line in said:
            _log_applied(line)
        if any(isinstance(line, PgError) for line in said):
            file = file_with_error(entries, said, cluster.config_path)
            words = f"contains errors; {applied} changes were applied"
            log("LOG", f'configuration file "{file}" {words}')
        set_log_format(config.file_settings(cluster))
        for pid in self.children.backends:
            _kill(pid, signal.SIGHUP)

    # -- the end ---------------------------------------------------------------------------------

    def _begin_shutdown(self, mode: int) -> None:
        if mode <= self._shutdown:
            return
        name = {SMART_SHUTDOWN: "smart", FAST_SHUTDOWN: "fast"}.get(mode, "immediate")
        log("LOG", f"received {name} shutdown request")
        self._shutdown = self.shm.shutdown_state = mode
        close_sockets(self.sockets)
        self.sockets = []
        self._retire_spares()
        if mode == FAST_SHUTDOWN:
            self._deadline = time.monotonic() + FAST_PATIENCE
            for pid in self.children.backends:
                _kill(pid, signal.SIGTERM)
        elif mode == IMMEDIATE_SHUTDOWN:
            self._deadline = time.monotonic()
            for pid in self.children.backends:
                _kill(pid, signal.SIGKILL)

    def _enforce_deadline(self) -> None:
        if self._deadline and time.monotonic() >= self._deadline:
            self._deadline = time.monotonic() + 0.2
            for pid in [*self.children.backends, *self.children.recoveries]:
                _kill(pid, signal.SIGKILL)

    def _finished(self) -> bool:
        """A shutdown is done when no backend is left."""
        if self._shutdown == RUNNING:
            return False
        children = self.children
        return not (children.spares or children.backends or children.recoveries)

    def _clean_up(self) -> None:
        """Leave nothing behind, whatever ended us."""
        self._shutdown = self._shutdown or IMMEDIATE_SHUTDOWN
        close_sockets(self.sockets)
        children = self.children
        for pid in [*children.spares, *children.backends, *children.recoveries]:
            _kill(pid, signal.SIGKILL)
            _wait(pid)
        if children.checkpointer:
            ephemeral = self.cluster.ephemeral
            _kill(children.checkpointer, signal.SIGKILL if ephemeral else signal.SIGTERM)
            _wait(children.checkpointer)
        if hasattr(self, "shm"):
            self.shm.save_counters()
            log("LOG", "database system is shut down")
        self.cluster.close()


def _describe(code: int) -> str:
    if code < 0:
        try:
            name = signal.strsignal(-code) or ""
        except ValueError:
            name = ""
        return f"was terminated by signal {-code}: {name}"
    return f"exited with exit code {code}"


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _log_applied(line: PgError | str) -> None:
    if isinstance(line, str):
        log("LOG", line)
        return
    log("LOG", line.message)
    if line.detail:
        log("DETAIL", line.detail)
    if line.hint:
        log("HINT", line.hint)


def _fault(line: ConfigLine) -> PgError:
    return PgError(CONFIG_FILE_ERROR, line.message)


def serve(config: ServerConfig) -> int:
    """Run a server in this process until it is told to end.  The exit code; problems with the
    folder or the addresses are one line on stderr."""
    try:
        return Postmaster(config).run()
    except ClusterError as error:
        sys.stderr.write(f"pgemu: {error}\n")
        return 1
