"""The container image's entry point: `pgemu container [serve options | other command]`.

Counterpart of the official PostgreSQL image's docker-entrypoint.sh, with its environment:
POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also as ..._FILE), POSTGRES_HOST_AUTH_METHOD,
PGDATA, PGPORT, and scripts in /docker-entrypoint-initdb.d, run once on a fresh data folder.
SIGTERM ends the server without waiting for clients, as `docker stop` wants it.  Differs: from
inside the container, TCP connections need the password too; the Unix socket does not.
"""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pgemu.errors import PgError
from pgemu.postmaster.config import BACKEND, ServerConfig, log
from pgemu.postmaster.control_client import Address, ControlClient, is_ready
from pgemu.storage.cluster import ClusterError, inspect_data_folder
from pgemu.storage.filecopy import remove_tree

SCRIPTS = "/docker-entrypoint-initdb.d"
DATA = "/var/lib/postgresql/data"
SOCKET_FOLDER = "/var/run/postgresql"
AUTH_METHODS = ("trust", "md5", "scram-sha-256", "password", "reject")
NO_PASSWORD = """\
pgemu: the data folder is fresh and no superuser password was given. Set POSTGRES_PASSWORD to a \
non-empty value, or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in without one.
"""


@dataclass
class ContainerSettings:
    """The environment, read and checked."""

    data: str
    port: int
    user: str
    dbname: str
    password: str | None
    auth_method: str
    scripts: str
    socket_folder: str
    backend: str

    @classmethod
    def of_environment(cls, env: Mapping[str, str]) -> ContainerSettings:
        """ClusterError names the variable that is wrong."""
        user = _variable(env, "POSTGRES_USER") or "postgres"
        password = _variable(env, "POSTGRES_PASSWORD") or None
        method = env.get("POSTGRES_HOST_AUTH_METHOD") or "scram-sha-256"
        if method not in AUTH_METHODS:
            raise ClusterError(
                f'POSTGRES_HOST_AUTH_METHOD: "{method}" is none of {", ".join(AUTH_METHODS)}'
            )
        port = env.get("PGPORT") or "5432"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ClusterError(f'PGPORT: "{port}" is not a port')
        return cls(
            data=env.get("PGDATA") or DATA,
            port=int(port),
            user=user,
            dbname=_variable(env, "POSTGRES_DB") or user,
            password=password,
            auth_method=method,
            scripts=env.get("PGEMU_INITDB_FOLDER") or SCRIPTS,
            socket_folder=env.get("PGEMU_SOCKET_FOLDER", SOCKET_FOLDER),
            backend=env.get("PGEMU_BACKEND") or BACKEND,
        )


def _variable(env: Mapping[str, str], name: str) -> str:
    """A variable, or the content of the file that NAME_FILE names."""
    value = env.get(name, "")
    path = env.get(name + "_FILE", "")
    if value and path:
        raise ClusterError(f"both {name} and {name}_FILE are set (but are exclusive)")
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                value = file.read().rstrip("\n")
        except OSError as error:
            raise ClusterError(f'{name}_FILE: cannot read "{path}": {error.strerror}') from error
    return value


def parse_arguments(arguments: list[str]) -> dict[str, str]:
    """`-c name=value` and `--name=value`, as the official image takes them."""
    settings: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("-c", "--set") and rest:
            word = rest.pop(0)
        elif word.startswith("-c") and len(word) > 2 and word[2] != "-":
            word = word[2:]
        elif word.startswith("--") and "=" in word:
            word = word[2:].replace("-", "_")
        else:
            raise ClusterError(f'unknown argument "{word}" (settings are given as -c name=value)')
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ClusterError(f'"{word}" is not of the form name=value')
        settings[name.strip().lower().replace("-", "_")] = value
    return settings


def run_container(arguments: list[str], env: Mapping[str, str] | None = None) -> int:
    """The whole life of the container; the exit code."""
    env = os.environ if env is None else env
    if arguments and arguments[0] == "healthcheck":
        return healthcheck(env)
    if arguments and arguments[0] == "postgres":
        arguments = arguments[1:]
    elif arguments and not arguments[0].startswith("-"):
        os.execvp(arguments[0], arguments)
    try:
        settings = ContainerSettings.of_environment(env)
        options = parse_arguments(arguments)
        fresh = inspect_data_folder(os.path.realpath(settings.data))
    except ClusterError as error:
        sys.stderr.write(f"pgemu: {error}\n")
        return 1
    if fresh and settings.password is None and settings.auth_method != "trust":
        sys.stderr.write(NO_PASSWORD)
        return 1
    if fresh and list_scripts(settings.scripts):
        code = initialize(settings, options)
        if code:
            return code
    from pgemu.postmaster.postmaster import serve

    return serve(server_config(settings, options))


def server_config(settings: ContainerSettings, options: dict[str, str]) -> ServerConfig:
    """What the container serves: all addresses, and the Unix socket if its folder can be had."""
    method = settings.auth_method
    folder = settings.socket_folder
    if folder:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError:
            folder = ""
        if not os.access(folder or "/nowhere", os.W_OK):
            folder = ""
    return ServerConfig(
        hosts=("*",),
        port=settings.port,
        unix_socket_dir=folder,
        data=settings.data,
        user=settings.user,
        dbname=settings.dbname,
        password=settings.password,
        settings=options,
        sigterm_is_fast=True,
        backend=settings.backend,
        hba_lines=("local   all  all       trust", f"host    all  all  all  {method}"),
    )


def healthcheck(env: Mapping[str, str]) -> int:
    """0 if the server accepts connections (HEALTHCHECK)."""
    try:
        settings = ContainerSettings.of_environment(env)
    except ClusterError as error:
        sys.stderr.write(f"pgemu: {error}\n")
        return 1
    folder = settings.socket_folder
    host = folder if os.path.exists(f"{folder}/.s.PGSQL.{settings.port}") else "127.0.0.1"
    address = Address(host, settings.port, settings.user, settings.dbname, settings.password)
    return 0 if is_ready(address) else 1


# -- initialization ------------------------------------------------------------------------------


def list_scripts(folder: str) -> list[str]:
    """The files of the folder in the order of their names."""
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return []


def initialize(settings: ContainerSettings, options: dict[str, str]) -> int:
    """Run the scripts against a server that only this process can reach.  If one fails, the data
    folder is emptied again, so that the next start begins anew."""
    folder = tempfile.mkdtemp(prefix="pgemu-init-")
    try:
        server = _start_private_server(settings, options, folder)
        if server == 0:
            return 1
        try:
            address = Address(folder, settings.port, settings.user, settings.dbname)
            code = 0
            for path in list_scripts(settings.scripts):
                code = run_script(path, address)
                if code:
                    sys.stderr.write(f'pgemu: initialization script "{path}" failed\n')
                    break
        finally:
            os.kill(server, signal.SIGINT)
            os.waitpid(server, 0)
    finally:
        remove_tree(folder)
    if code:
        for entry in os.scandir(settings.data):
            remove_tree(entry.path) if entry.is_dir() else os.unlink(entry.path)
    return code


def _start_private_server(settings: ContainerSettings, options: dict[str, str], folder: str) -> int:
    """A server on a Unix socket in a private folder, as a child; its pid, 0 if it failed."""
    reader, writer = os.pipe()
    config = replace(
        server_config(settings, options),
        hosts=(),
        unix_socket_dir=folder,
        die_with_parent=True,
        parent_pid=os.getpid(),
        ready_fd=writer,
        quiet=True,
    )
    server = os.fork()
    if server == 0:
        from pgemu.postmaster.postmaster import serve

        os.close(reader)
        os._exit(serve(config))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        if pipe.readline():
            return server
    os.waitpid(server, 0)
    return 0


def run_script(path: str, address: Address) -> int:
    """Run one file by its ending, as the official image does; others are ignored with a line."""
    if path.endswith(".sh"):
        return _run_shell(path, address)
    if path.endswith((".sql", ".sql.gz")):
        sys.stderr.write(f"pgemu: running {path}\n")
        with open(path, "rb") as file:
            data = file.read()
        if path.endswith(".gz"):
            data = gzip.decompress(data)
        return run_sql(data.decode(), path, address)
    sys.stderr.write(f"pgemu: ignoring {path}\n")
    return 0


def _run_shell(path: str, address: Address) -> int:
    sys.stderr.write(f"pgemu: running {path}\n")
    env = {
        **os.environ,
        "PGHOST": address.host,
        "PGPORT": str(address.port),
        "PGUSER": address.user,
        "PGDATABASE": address.dbname,
        "POSTGRES_USER": address.user,
        "POSTGRES_DB": address.dbname,
    }
    shell = shutil.which("bash") or "/bin/sh"
    command = [path] if os.access(path, os.X_OK) else [shell, "-e", path]
    return subprocess.run(command, env=env, check=False).returncode


def run_sql(text: str, path: str, address: Address) -> int:
    """Each statement by itself, stopping at the first error (psql -v ON_ERROR_STOP=1)."""
    from pgemu.cli.sql_script import split_script

    client = ControlClient(address, timeout=None)
    try:
        for statement in split_script(text):
            if statement.text.startswith("\\"):
                words = statement.text.split()
                if words[0] not in ("\\c", "\\connect") or len(words) < 2:
                    raise ValueError(f"line {statement.line}: cannot run {words[0]} without psql")
                client.close()
                user = words[2] if len(words) > 2 and words[2] != "-" else address.user
                dbname = words[1].strip('"')
                address = Address(address.host, address.port, user, dbname, address.password)
                client = ControlClient(address, timeout=None)
                continue
            try:
                answer = client.query(statement.text, statement.data)
            except PgError as error:
                sys.stderr.write(f"pgemu: {path}:{statement.line}: ERROR:  {error.message}\n")
                return 3
            for notice in answer.notices:
                log("LOG", notice)
    except ValueError as error:
        sys.stderr.write(f"pgemu: {path}: {error}\n")
        return 3
    finally:
        client.close()
    return 0
