"""What the postmaster runs before it forks leaves nothing behind, and runs to its end."""

from __future__ import annotations

import subprocess
import sys
import types

from pgemu.tcop.hot_code import HotCode

_REHEARSE = """
import gc, os, signal, socket, sys
from pgemu.postmaster.bootstrap import make_cluster
from pgemu.postmaster.config import ServerConfig
from pgemu.storage.locktable import LockTable
from pgemu.storage.procarray import PID
from pgemu.storage.shmem import SharedMemory

config = ServerConfig(settings={"log_statement": "all", "log_connections": "on"})
cluster = make_cluster(config)
try:
    shm = config.shm = SharedMemory.create(cluster.shm_path, 100, cluster.counters_path)
    shm.set_postmaster(os.getpid(), 5432)
    LockTable.create(cluster.locks_path, shm.procarray).close()
    from pgemu.tcop import late
    from pgemu.tcop.rehearsal import rehearse

    late.try_out(cluster, shm, config, late._TRIALS)
    handler = signal.getsignal(signal.SIGTERM)
    wakeup, other = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    rehearse(cluster, shm, config)
    from pgemu.tcop.prewarm import _HBA
    assert list(_HBA) == [cluster.hba_path]
    descriptors = len(os.listdir("/proc/self/fd"))
    done = sum(1 for _ in late.rehearsals(cluster, shm, config))
    assert done == late.REHEARSALS + 2, done
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.set_wakeup_fd(-1) == wakeup.fileno()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert not any(shm.procarray.column(PID))
    assert not [name for name in os.listdir(cluster.runtime) if name.startswith("latch.")]
finally:
    cluster.close()
"""


def test_rehearsals_leave_nothing_behind() -> None:
    """Nor a word in the log."""
    done = subprocess.run(
        [sys.executable, "-c", _REHEARSE], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


_MODULE = """
def called(n, *, k=2):
    "doc"
    return [n * k for _ in range(2)]

def cold():
    return 1

def make():
    def inner():
        return cell
    cell = 7
    return inner

class Thing:
    def method(self):
        return super().__repr__() and called(3)

held = [make]
"""


def test_hot_code_moves() -> None:
    module = types.ModuleType("hot_code_example")
    sys.modules[module.__name__] = module
    try:
        exec(compile(_MODULE, "example", "exec"), module.__dict__)
        space = module.__dict__
        before = {name: id(space[name]) for name in ("called", "cold", "make")}
        codes = {name: space[name].__code__ for name in before}
        method = id(vars(space["Thing"])["method"])
        hot = HotCode()
        with hot.watch():
            assert space["Thing"]().method() == [6, 6]
            assert space["make"]()() == 7
        hot.move()
        assert id(space["called"]) != before["called"]
        assert id(vars(space["Thing"])["method"]) != method
        assert space["called"].__code__ is not codes["called"]
        # who else knows a function keeps it, with the same code
        assert id(space["make"]) == before["make"] and space["held"][0] is space["make"]
        assert space["make"].__code__ is not codes["make"]
        assert id(space["cold"]) == before["cold"] and space["cold"].__code__ is codes["cold"]
        assert space["called"].__doc__ == "doc" and space["called"](1, k=5) == [5, 5]
        assert space["Thing"]().method() == [6, 6] and space["make"]()() == 7
    finally:
        del sys.modules[module.__name__]
