"""The listening sockets: TCP addresses and the Unix socket with its lock file.

Counterpart of PostgreSQL's pqcomm.c (StreamServerPort) and of the socket lock files of miscinit.c.
Binding and listening are two steps: an address in use is reported before anything is made, but the
port opens only when a query would succeed.
"""

from __future__ import annotations

import contextlib
import os
import socket

from pgemu.storage.cluster import ClusterError

BACKLOG = 512


def bind_sockets(hosts: tuple[str, ...], port: int, socket_folder: str) -> list[socket.socket]:
    """Bind all addresses, none listening yet.  Port 0: the first address chooses, the others
    follow.  ClusterError names the address that cannot be had."""
    bound: list[socket.socket] = []
    try:
        for host in hosts:
            for family, address in _addresses(host, port):
                sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                bound.append(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    sock.bind((address, port))
                except OSError as error:
                    if error.strerror and host == "*" and len(bound) > 1:
                        bound.pop().close()  # no IPv6 here
                        continue
                    raise ClusterError(
                        f"cannot listen on {address} port {port}: {error.strerror}"
                    ) from error
                port = sock.getsockname()[1]
        if socket_folder:
            bound.append(_bind_unix(socket_folder, port or 5432))
    except BaseException:
        close_sockets(bound)
        raise
    return bound


def bound_port(sockets: list[socket.socket], default: int) -> int:
    """The TCP port that was chosen."""
    for sock in sockets:
        if sock.family != socket.AF_UNIX:
            port: int = sock.getsockname()[1]
            return port
    return default


def _addresses(host: str, port: int) -> list[tuple[int, str]]:
    if host == "*":
        found = [(int(socket.AF_INET), "0.0.0.0")]
        return [*found, (int(socket.AF_INET6), "::")] if socket.has_ipv6 else found
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ClusterError(f'cannot resolve host "{host}": {error.strerror}') from error
    addresses: list[tuple[int, str]] = []
    for family, _, _, _, where in infos:
        pair = (int(family), str(where[0]))
        if pair not in addresses:
            addresses.append(pair)
    return addresses


def unix_socket_path(folder: str, port: int) -> str:
    return f"{folder}/.s.PGSQL.{port}"


def _bind_unix(folder: str, port: int) -> socket.socket:
    path = unix_socket_path(folder, port)
    if len(path.encode()) > 107:
        raise ClusterError(f'Unix-domain socket path "{path}" is too long (maximum 107 bytes)')
    _make_lock_file(path + ".lock", path, port)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if os.path.exists(path):
            os.unlink(path)
        sock.bind(path)
        os.chmod(path, 0o777)
    except OSError as error:
        sock.close()
        os.unlink(path + ".lock")
        raise ClusterError(f'cannot listen on "{path}": {error.strerror}') from error
    return sock


def _make_lock_file(path: str, socket_path: str, port: int) -> None:
    """PostgreSQL's socket lock file: the first line is the pid of the owner."""
    for _ in range(3):
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            owner = _owner(path)
            if owner > 0 and owner != os.getpid() and _alive(owner):
                raise ClusterError(
                    f'cannot listen on "{socket_path}": in use by process {owner}'
                ) from None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            continue
        except OSError as error:
            raise ClusterError(f'cannot create "{path}": {error.strerror}') from error
        try:
            os.write(fd, f"{os.getpid()}\n{socket_path}\n{port}\n".encode())
        finally:
            os.close(fd)
        return
    raise ClusterError(f'cannot create lock file "{path}"')


def _owner(path: str) -> int:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            first = file.readline().strip()
    except OSError:
        return 0
    return int(first) if first.isdigit() else 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_listening(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.listen(BACKLOG)


def close_sockets(sockets: list[socket.socket], *, unlink: bool = True) -> None:
    """Close; the owner also removes the Unix socket and its lock file."""
    for sock in sockets:
        path = ""
        if unlink and sock.family == socket.AF_UNIX:
            path = sock.getsockname()
        if unlink:
            # Backends have it open too: nobody is to get a connection any more.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        if path:
            remove_unix_socket(path)


def remove_unix_socket(path: str) -> None:
    for one in (path, path + ".lock"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(one)
