"""The data folder of a cluster: its layout, its lock, its temporary variant.

Counterpart of PostgreSQL's miscinit.c (data directory checks, lock files) and of initdb's folder
making.  A cluster is either a folder that the user named, which stays, or an ephemeral one in a
private temporary folder, on tmpfs where there is one, which vanishes with the server.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from hashlib import blake2s

from pgemu.storage.filecopy import copy_file, remove_tree
from pgemu.storage.filelock import FileLock

PG_VERSION = "15"
MARKER = "PGEMU_VERSION"  # tells our folders from PostgreSQL's, which have PG_VERSION too
FORMAT_VERSION = "1"
LOCK_FILE = "postmaster.pid"
EPHEMERAL_PREFIX = "pgemu-"
MINIMUM_TMPFS_BYTES = 512 << 20
MAX_SOCKET_FOLDER = 80  # a socket's path has 107 bytes
TEMPLATE1, TEMPLATE0, POSTGRES = 1, 4, 5


class ClusterError(Exception):
    """The folder cannot be used; str() is one line for the user.  Nothing was touched."""


class Cluster:
    """Paths of one cluster.  Cheap to make: a backend may have its own."""

    def __init__(self, data: str, runtime: str, *, ephemeral: bool) -> None:
        self.data = data
        self.runtime = runtime
        self.ephemeral = ephemeral
        self._lock_fd = -1

    # -- paths -----------------------------------------------------------------------------------

    @property
    def global_path(self) -> str:
        """The shared catalogs."""
        return f"{self.data}/global.db"

    def database_path(self, oid: int) -> str:
        return f"{self.data}/base/{oid}.db"

    def own_database_file(self, oid: int) -> None:
        """Before a database is written: template0 of a temporary cluster may be a link to the
        template of all clusters, which becomes a copy then."""
        path = self.database_path(oid)
        if os.path.islink(path):
            copy_file(path, f"{path}.copy")
            os.replace(f"{path}.copy", path)

    def sequence_path(self, oid: int) -> str:
        return f"{self.data}/base/{oid}.seq"

    def sequence_lock_path(self, oid: int) -> str:
        return f"{self.runtime}/{oid}.seq.lock"

    def writer_lock_path(self, oid: int) -> str:
        """Lock file of a database's WriterLock; 0 is global.db."""
        return f"{self.runtime}/{oid}.lock"

    @property
    def shm_path(self) -> str:
        return f"{self.runtime}/shm"

    @property
    def locks_path(self) -> str:
        return f"{self.runtime}/locks"

    @property
    def counters_path(self) -> str | None:
        """Where xids and OIDs are kept beyond the server's end."""
        return None if self.ephemeral else f"{self.data}/counters"

    @property
    def config_path(self) -> str:
        return f"{self.data}/postgresql.conf"

    @property
    def auto_config_path(self) -> str:
        """ALTER SYSTEM writes here."""
        return f"{self.data}/postgresql.auto.conf"

    @property
    def hba_path(self) -> str:
        return f"{self.data}/pg_hba.conf"

    @property
    def ident_path(self) -> str:
        return f"{self.data}/pg_ident.conf"

    @property
    def lock_path(self) -> str:
        return f"{self.data}/{LOCK_FILE}"

    def database_oids(self) -> list[int]:
        """The databases that have a file."""
        names = (entry.partition(".") for entry in os.listdir(f"{self.data}/base"))
        return sorted(int(stem) for stem, _, end in names if end == "db" and stem.isdigit())

    # -- making and opening ----------------------------------------------------------------------

    @classmethod
    def create_ephemeral(cls, template: str) -> Cluster:
        """A fresh cluster in a private temporary folder, locked."""
        parent = temporary_folder()
        data = f"{parent}/{EPHEMERAL_PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
        os.mkdir(data, 0o700)
        cluster = cls(data, f"{data}/runtime", ephemeral=True)
        try:
            cluster.lock()
            cluster._populate(template)
        except BaseException:
            cluster.close()
            raise
        return cluster

    @classmethod
    def open_or_create(cls, path: str, template: Callable[[], str]) -> tuple[Cluster, bool]:
        """The cluster in a folder that the user named, locked; made if the folder is new or empty
        (then True).  ClusterError, nothing touched, if it is in use, not ours, or of another
        version.  template() gives the template's folder."""
        data = os.path.realpath(path)
        fresh = inspect_data_folder(data)
        made = False
        try:
            if fresh and not os.path.isdir(data):
                os.makedirs(data, mode=0o700)
                made = True
            cluster = cls(data, runtime_folder(data), ephemeral=False)
            cluster.lock()
        except OSError as error:
            raise ClusterError(f'cannot use data folder "{data}": {error.strerror}') from error
        try:
            if fresh:
                cluster._populate(template())
            remove_tree(cluster.runtime)
            os.makedirs(cluster.runtime, mode=0o700)
        except BaseException:
            cluster.unlock()
            if made:
                remove_tree(data)
            raise
        return cluster, fresh

    def _populate(self, template: str) -> None:
        """Lay out a fresh folder; PG_VERSION comes last, for it makes the folder valid."""
        os.makedirs(f"{self.data}/base", mode=0o700, exist_ok=True)
        if self.ephemeral:
            os.mkdir(self.runtime, 0o700)
        copy_file(f"{template}/global.db", self.global_path)
        for oid in (TEMPLATE1, POSTGRES):
            copy_file(f"{template}/base.db", self.database_path(oid))
        if self.ephemeral:  # nobody writes to template0; saves a copy at each start
            os.symlink(f"{template}/base.db", self.database_path(TEMPLATE0))
        else:
            copy_file(f"{template}/base.db", self.database_path(TEMPLATE0))
        self.write_file(MARKER, FORMAT_VERSION + "\n")
        self.write_file("PG_VERSION", PG_VERSION + "\n")

    def write_file(self, name: str, text: str) -> None:
        """Write a small file of the data folder, replacing it at once."""
        path = os.path.join(self.data, name)
        fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
        os.rename(path + ".new", path)

    # -- the lock file ---------------------------------------------------------------------------

    def lock(self) -> None:
        """Own the folder until close or death.  Children share the lock: as long as one lives,
        nobody else may start here."""
        fd = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(fd, 32).split(b"\n")[0].decode("ascii", "replace")
            os.close(fd)
            whom = f" (PID {pid})" if pid else ""
            raise ClusterError(
                f'data folder "{self.data}" is in use by another server{whom}'
            ) from None
        if os.fstat(fd).st_nlink == 0:  # its owner ended and removed it while we opened it
            os.close(fd)
            return self.lock()
        self._lock_fd = fd
        self.write_lock_file(0, "", "", "starting")
        return None

    def write_lock_file(self, port: int, socket_folder: str, address: str, status: str) -> None:
        """The lines of PostgreSQL's postmaster.pid (pg_ctl and tools read them)."""
        text = (
            f"{os.getpid()}\n{self.data}\n{int(time.time())}\n{port}\n{socket_folder}\n"
            f"{address}\n{0:9d} {0:9d}\n{status}\n"
        )
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, text.encode(), 0)

    def unlock(self) -> None:
        """Give the folder back and remove the lock file."""
        if self._lock_fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.lock_path)
            os.close(self._lock_fd)
            self._lock_fd = -1

    def close(self) -> None:
        """The server's end: an ephemeral cluster vanishes, a named one keeps its data."""
        if self.ephemeral:
            remove_tree(self.data)
        else:
            remove_tree(self.runtime)
        self.unlock()


def inspect_data_folder(data: str) -> bool:
    """True: a new cluster can be made here.  False: there is one of ours.  Else ClusterError."""
    try:
        names = os.listdir(data)
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        raise ClusterError(f'"{data}" is not a folder') from None
    except PermissionError:
        raise ClusterError(f'cannot read data folder "{data}": permission denied') from None
    # What a first start that was killed leaves behind, and what file systems put into a mount.
    if not set(names) - {"lost+found", LOCK_FILE, "base", "global.db", "runtime", MARKER}:
        if LOCK_FILE in names or not names or names == ["lost+found"]:
            return True
        raise ClusterError(f'folder "{data}" is not empty and is not a data folder of pgemu')
    if "PG_VERSION" not in names:
        raise ClusterError(f'folder "{data}" is not empty and is not a data folder of pgemu')
    version = _first_line(f"{data}/PG_VERSION")
    if MARKER not in names:
        raise ClusterError(
            f'"{data}" is a data folder of PostgreSQL {version} itself, not of pgemu'
        )
    if version != PG_VERSION:
        raise ClusterError(
            f'data folder "{data}" is of version {version}, this server is of version {PG_VERSION}'
        )
    layout = _first_line(f"{data}/{MARKER}")
    if layout != FORMAT_VERSION:
        raise ClusterError(
            f'data folder "{data}" has storage format {layout}, '
            f"this version of pgemu needs {FORMAT_VERSION}"
        )
    return False


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError as error:
        raise ClusterError(f'cannot read "{path}": {error.strerror}') from error


def _is_tmpfs(folder: str) -> bool:
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split()[1:3] for line in file]
    except OSError:
        return False
    return [folder, "tmpfs"] in mounts


def temporary_folder() -> str:
    """Where ephemeral clusters live: $PGEMU_TMPDIR, /dev/shm if it is a tmpfs with room (that of
    a container may have 64 MB), else $TMPDIR or /tmp."""
    chosen = os.environ.get("PGEMU_TMPDIR")
    if chosen:
        return chosen
    shm = "/dev/shm"
    if _is_tmpfs(shm) and os.access(shm, os.W_OK | os.X_OK):
        space = os.statvfs(shm)
        if space.f_bavail * space.f_frsize >= MINIMUM_TMPFS_BYTES:
            return shm
    return os.environ.get("TMPDIR") or "/tmp"


def runtime_folder(data: str) -> str:
    """Where shared memory and sockets of a named cluster live: on tmpfs, found again by name if a
    server was killed; inside the data folder if there is no tmpfs."""
    name = f"pgemu-run-{os.getuid()}-{blake2s(data.encode(), digest_size=8).hexdigest()}"
    for parent in ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", "")):
        if (
            parent
            and len(parent) < MAX_SOCKET_FOLDER - 40
            and os.access(parent, os.W_OK | os.X_OK)
            and (parent != "/dev/shm" or _is_tmpfs(parent))
        ):
            return f"{parent}/{name}"
    if len(data) + 8 <= MAX_SOCKET_FOLDER:
        return f"{data}/runtime"
    return f"{os.environ.get('TMPDIR') or '/tmp'}/{name}"


def sweep_stale_clusters(own: str) -> None:
    """Remove ephemeral clusters whose server, guardian included, was killed: theirs is a lock
    file that nobody holds.  Folders younger than a minute may be about to be locked."""
    parent = os.path.dirname(own)
    for entry in os.scandir(parent):
        if (
            not entry.name.startswith(EPHEMERAL_PREFIX)
            or entry.path == own
            or not entry.is_dir(follow_symlinks=False)
        ):
            continue
        status = entry.stat(follow_symlinks=False)
        if status.st_uid != os.getuid() or status.st_mtime > time.time() - 60:
            continue
        if not os.path.exists(f"{entry.path}/{LOCK_FILE}"):
            continue
        lock = FileLock(f"{entry.path}/{LOCK_FILE}")
        if lock.try_acquire():
            remove_tree(entry.path)
        lock.close()
