"""The extension uuid-ossp: UUIDs of versions 1, 3, 4 and 5 (PostgreSQL: contrib/uuid-ossp)."""

from __future__ import annotations

import os
import uuid

from pgemu.fmgr import pg_function

for _name, _value in (
    ("nil", uuid.UUID(int=0)),
    ("ns_dns", uuid.NAMESPACE_DNS),
    ("ns_url", uuid.NAMESPACE_URL),
    ("ns_oid", uuid.NAMESPACE_OID),
    ("ns_x500", uuid.NAMESPACE_X500),
):
    pg_function(f"uuid_{_name}()")(lambda value=_value.bytes: value)


@pg_function("uuid_generate_v1()")
def uuid_generate_v1() -> bytes:
    return uuid.uuid1().bytes


@pg_function("uuid_generate_v1mc()")
def uuid_generate_v1mc() -> bytes:
    """With a random multicast address instead of the machine's."""
    return uuid.uuid1(node=int.from_bytes(os.urandom(6)) | 0x030000000000).bytes


@pg_function("uuid_generate_v3(uuid, text)")
def uuid_generate_v3(namespace: bytes, name: str) -> bytes:
    return uuid.uuid3(uuid.UUID(bytes=namespace), name).bytes


@pg_function("uuid_generate_v4()")
def uuid_generate_v4() -> bytes:
    return uuid.uuid4().bytes


@pg_function("uuid_generate_v5(uuid, text)")
def uuid_generate_v5(namespace: bytes, name: str) -> bytes:
    return uuid.uuid5(uuid.UUID(bytes=namespace), name).bytes
