"""Making the cluster at start: template, first superuser and database, configuration files.

Counterpart of PostgreSQL's initdb.  With the default user and database nothing is left to do after
the template's files were copied, and neither SQLite nor the catalogs are loaded for it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pgemu.postmaster.config import ServerConfig
from pgemu.storage.cluster import POSTGRES, TEMPLATE0, TEMPLATE1, Cluster, ClusterError
from pgemu.storage.filecopy import copy_file
from pgemu.storage.template_cache import cached_template

if TYPE_CHECKING:
    import apsw

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The files that a template is made from, beside the catalogs' data.
_SOURCES = (
    "catalog/template.py",
    "catalog/rows.py",
    "catalog/information_schema.py",
    "transam/schema.py",
)

CONFIG_TEXT = """\
# Settings of this cluster, in PostgreSQL's format; command line options (--set) override them.
"""

HBA_TEXT = """\
# Client authentication, in PostgreSQL's format.
# TYPE  DATABASE  USER  ADDRESS  METHOD
"""


def template_fingerprint() -> str:
    """A name that changes whenever the template's sources do: cheap, for it is asked at each
    start (sizes and times of files, not their content)."""
    from hashlib import blake2s

    digest = blake2s(digest_size=10)
    folder = os.path.join(_PACKAGE, "catalog", "data", "15")
    paths = [entry.path for entry in os.scandir(folder)] if os.path.isdir(folder) else []
    for path in sorted([*paths, *(os.path.join(_PACKAGE, name) for name in _SOURCES)]):
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        digest.update(f"{path} {status.st_size} {int(status.st_mtime)}\n".encode())
    return f"15-{digest.hexdigest()}"


def template() -> str:
    """The folder with base.db and global.db."""
    return cached_template(template_fingerprint(), _build)


def _build(folder: str) -> None:
    from pgemu.catalog.template import build_template

    build_template(folder)


def make_cluster(config: ServerConfig) -> Cluster:
    """The locked cluster to serve, made if need be.  ClusterError: nothing was touched."""
    if config.data is None:
        cluster, fresh = Cluster.create_ephemeral(template()), True
    else:
        cluster, fresh = Cluster.open_or_create(config.data, template)
    try:
        if fresh:
            _initialize(cluster, config)
    except BaseException:
        cluster.close()
        raise
    return cluster


def _initialize(cluster: Cluster, config: ServerConfig) -> None:
    cluster.write_file("postgresql.conf", CONFIG_TEXT)
    cluster.write_file("postgresql.auto.conf", "")
    cluster.write_file("pg_hba.conf", HBA_TEXT + hba_lines(config))
    if config.user != "postgres" or config.password is not None or config.dbname != "postgres":
        _first_objects(cluster, config)


def hba_lines(config: ServerConfig) -> str:
    """Trust from this machine while there is no password, SCRAM from everywhere once there is."""
    if config.hba_lines:
        return "".join(line + "\n" for line in config.hba_lines)
    method = config.auth_method or ("trust" if config.password is None else "scram-sha-256")
    lines = [f"local   all       all            {method}"]
    lines += [f"host    all       all   {net}  {method}" for net in ("127.0.0.1/32", "::1/128")]
    if method != "trust":
        lines += [f"host    all       all   all  {method}"]
    return "\n".join(lines) + "\n"


def _first_objects(cluster: Cluster, config: ServerConfig) -> None:
    """Rename the bootstrap superuser, set its password, make the first database."""
    import apsw

    from pgemu.catalog.rows import CATALOGS, PgAuthid, PgDatabase
    from pgemu.libpq.crypt import encrypt_password

    def column(catalog: type, name: str) -> str:
        names = [one.name for one in CATALOGS[catalog].columns]
        return f"c{names.index(name) + 1}"

    secret = None
    if config.password is not None:
        secret = encrypt_password("scram-sha-256", config.user, config.password)
    authid = f"r{CATALOGS[PgAuthid].relid}"
    database = f"r{CATALOGS[PgDatabase].relid}"
    connection = _open(cluster.global_path)
    try:
        connection.execute("BEGIN")
        oid = column(PgAuthid, "oid")
        connection.execute(
            f"UPDATE {authid} SET {column(PgAuthid, 'rolname')}=?,"
            f" {column(PgAuthid, 'rolpassword')}=? WHERE {oid}=10",
            (config.user, secret),
        )
        if config.user != "postgres":
            _rename_in_acls(connection, config.user, shared=True)
            for number in (TEMPLATE1, TEMPLATE0, POSTGRES):
                cluster.own_database_file(number)
                with contextlib.closing(_open(cluster.database_path(number))) as other:
                    _rename_in_acls(other, config.user, shared=False)
        if config.dbname not in ("postgres", "template0", "template1"):
            oid_column, name_column = column(PgDatabase, "oid"), column(PgDatabase, "datname")
            copied = [
                f"c{i}"
                for i in range(1, len(CATALOGS[PgDatabase].columns) + 1)
                if f"c{i}" not in (oid_column, name_column)
            ]
            names = ", ".join(copied)
            connection.execute(
                f"INSERT INTO {database}(xmin, {oid_column}, {name_column}, {names})"
                f" SELECT xmin, ?, ?, {names} FROM {database} WHERE {oid_column}={POSTGRES}",
                (FIRST_DATABASE, config.dbname),
            )
            copy_file(cluster.database_path(POSTGRES), cluster.database_path(FIRST_DATABASE))
        connection.execute("COMMIT")
    except apsw.Error as error:
        raise ClusterError(f"cannot initialize the cluster: {error}") from error
    finally:
        connection.close()


def _open(path: str) -> apsw.Connection:
    import apsw

    connection = apsw.Connection(path)
    connection.create_collation("array_ops", lambda a, b: (a > b) - (a < b))
    return connection


def _rename_in_acls(connection: apsw.Connection, user: str, *, shared: bool) -> None:
    """Access lists name roles: those of the template name the bootstrap superuser."""
    import json

    from pgemu.catalog.rows import CATALOGS

    plain = all(c == "_" or (c.isascii() and c.isalnum()) for c in user)
    name = user if plain else '"' + user.replace('"', '""') + '"'
    for info in CATALOGS.values():
        for number, column in enumerate(info.columns, 1):
            if info.shared is not shared or column.typname != "_aclitem":
                continue
            where = f"FROM r{info.relid} WHERE c{number} LIKE '%postgres%'"
            for (text,) in connection.execute(f"SELECT DISTINCT c{number} {where}").fetchall():
                items = []
                for item in json.loads(str(text)):
                    grantee, _, rest = item.partition("=")
                    rights, _, grantor = rest.partition("/")
                    items.append(
                        f"{name if grantee == 'postgres' else grantee}={rights}"
                        f"/{name if grantor == 'postgres' else grantor}"
                    )
                made = json.dumps(items, separators=(",", ":"), ensure_ascii=False)
                connection.execute(
                    f"UPDATE r{info.relid} SET c{number}=? WHERE c{number}=?", (made, text)
                )


# POSTGRES_DB's database: below the first OID that the shared counter gives, as initdb's are.
FIRST_DATABASE = 16383
