"""Copying database files: by reflink where the file system can, else inside the kernel.

Counterpart of PostgreSQL's storage/file/copydir.c (CREATE DATABASE ... STRATEGY file_copy).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os

_FICLONE = 0x40049409
_CHUNK = 1 << 30


def copy_file(source: str, target: str, *, sync: bool = False) -> int:
    """Copy a file's content; the target is made with mode 0600 or overwritten.  Its size."""
    from_fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(from_fd).st_size
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        to_fd = os.open(target, flags, 0o600)
        try:
            if size and not _clone(from_fd, to_fd):
                _copy_range(from_fd, to_fd, size)
            if sync:
                os.fsync(to_fd)
        finally:
            os.close(to_fd)
    finally:
        os.close(from_fd)
    return size


def _clone(from_fd: int, to_fd: int) -> bool:
    try:
        fcntl.ioctl(to_fd, _FICLONE, from_fd)
    except OSError:
        return False
    return True


def _copy_range(from_fd: int, to_fd: int, size: int) -> None:
    done = 0
    try:
        while done < size:
            copied = os.copy_file_range(from_fd, to_fd, min(size - done, _CHUNK), done, done)
            if copied == 0:
                return
            done += copied
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        os.lseek(to_fd, done, os.SEEK_SET)
        while done < size:
            sent = os.sendfile(to_fd, from_fd, done, min(size - done, _CHUNK))
            if sent == 0:
                return
            done += sent


def copy_database_files(source: str, target: str, *, sync: bool = False) -> None:
    """Copy a database that others may have open, its WAL included.

    The caller holds the source's writer lock.  Then nobody appends to the WAL or restarts it, and
    a checkpoint running beside us only writes pages that the WAL has as well: file plus WAL are
    one consistent state, which SQLite recovers when it opens the copy.  sync: it is on disk when
    this returns.
    """
    copy_file(source, target + ".new", sync=sync)
    try:
        if os.stat(source + "-wal").st_size:
            copy_file(source + "-wal", target + "-wal", sync=sync)
    except FileNotFoundError:
        pass
    os.rename(target + ".new", target)  # whoever dies before this leaves no database file
    if sync:
        sync_folder(os.path.dirname(target))


def sync_folder(path: str) -> None:
    """The names of the files in a folder are on disk when this returns."""
    folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_database_files(path: str) -> None:
    """DROP DATABASE: the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal", ".new"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + suffix)


def database_size(path: str) -> int:
    """Bytes on disk (pg_database_size)."""
    total = 0
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            total += os.stat(path + suffix).st_size
    return total


def remove_tree(path: str) -> None:
    """Remove a folder and all that is in it; what is gone already does not matter."""
    try:
        entries = list(os.scandir(path))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove_tree(entry.path)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry.path)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(path)
