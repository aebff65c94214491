"""Client authentication: what pg_hba.conf asks for, and whether the client can give it.

Counterpart: ClientAuthentication in PostgreSQL's auth.c and the checks of the role in
InitializeSessionUserId.  Whether a role exists is told only to those who got past the method.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pgemu.errors import (
    INVALID_AUTHORIZATION_SPECIFICATION,
    INVALID_PASSWORD,
    PgError,
)
from pgemu.libpq.hba import Client, HbaLine, IsMember, check_hba
from pgemu.libpq.pqcomm import Connection
from pgemu.libpq.startup import StartupParams
from pgemu_protocol.hot import AUTHENTICATION_OK


@dataclass(frozen=True, slots=True)
class RoleAuth:
    """What authentication needs of a role.  valid_until: seconds since 1970, None: for ever."""

    name: str
    password: str | None = None
    can_login: bool = True
    valid_until: float | None = None


LookupRole = Callable[[str], RoleAuth | None]

_METHOD_FAILED = {
    "password": "password authentication failed",
    "md5": "password authentication failed",
    "scram-sha-256": "password authentication failed",
    "peer": "Peer authentication failed",
}


def authenticate(
    connection: Connection,
    params: StartupParams,
    hba: tuple[HbaLine, ...],
    lookup_role: LookupRole,
    *,
    mock_nonce: bytes = b"",
    is_member: IsMember | None = None,
) -> RoleAuth:
    """Authenticate the client and give its role; a FATAL PgError if it may not come in.

    mock_nonce: secret bytes of the cluster, for made-up salts.
    """
    peer = connection.peer()
    client = Client(params.user, params.database, peer[0] if peer else None, connection.tls)
    line = check_hba(hba, client, is_member)
    if line is None:
        raise _not_let_in("no pg_hba.conf entry for", client)
    if line.method == "reject":
        raise _not_let_in("pg_hba.conf rejects connection for", client)
    connection.expect_authentication()
    role = lookup_role(params.user)
    if not _passes(connection, line.method, client, role, mock_nonce):
        failed = _fatal(
            INVALID_AUTHORIZATION_SPECIFICATION if line.method == "peer" else INVALID_PASSWORD,
            f'{_METHOD_FAILED[line.method]} for user "{params.user}"',
        )
        matched = f'Connection matched pg_hba.conf line {line.line}: "{line.text}"'
        failed.detail_log = "\n".join([*_why(line.method, params.user, role), matched])
        raise failed
    if line.method != "trust":
        connection.authenticated = (params.user, line.method, line.line)
    connection.write(AUTHENTICATION_OK)
    connection.expect_statements()
    if role is None:
        raise _fatal(INVALID_AUTHORIZATION_SPECIFICATION, f'role "{params.user}" does not exist')
    if not role.can_login:
        raise _fatal(
            INVALID_AUTHORIZATION_SPECIFICATION,
            f'role "{params.user}" is not permitted to log in',
        )
    return role


def _why(method: str, user: str, role: RoleAuth | None) -> list[str]:
    """What the log says of a password that did not let somebody in."""
    if method == "peer":
        return []
    if role is None:
        return [f'Role "{user}" does not exist.']
    if not role.password:
        return [f'User "{user}" has no password assigned.']
    if _usable_password(role) is None:
        return [f'User "{user}" has an expired password.']
    if method == "scram-sha-256" or (method == "md5" and not role.password.startswith("md5")):
        return []
    return [f'Password does not match for user "{user}".']


def _fatal(sqlstate: str, message: str) -> PgError:
    return PgError(sqlstate, message, severity="FATAL")


def _not_let_in(what: str, client: Client) -> PgError:
    return _fatal(
        INVALID_AUTHORIZATION_SPECIFICATION,
        f'{what} host "{client.address or "[local]"}", user "{client.user}",'
        f' database "{client.database}", {"SSL encryption" if client.tls else "no encryption"}',
    )


def _passes(
    connection: Connection, method: str, client: Client, role: RoleAuth | None, mock_nonce: bytes
) -> bool:
    shadow = _usable_password(role)
    match method:
        case "trust":
            return True
        case "peer":
            return _peer_name(connection) == client.user
        case _:
            from pgemu.libpq.auth_password import check_password

            return check_password(connection, method, client.user, shadow, mock_nonce)


def _usable_password(role: RoleAuth | None) -> str | None:
    if role is None or not role.password:
        return None
    if role.valid_until is not None and role.valid_until < time.time():
        return None
    return role.password


def _peer_name(connection: Connection) -> str | None:
    uid = connection.peer_uid()
    if uid is None:
        return None
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
