"""postgresql_fdw_validator (PostgreSQL's foreign.c): options of connections to PostgreSQL."""

from __future__ import annotations

from pgemu.catalog.rows import PG_FOREIGN_SERVER_RELID, PG_USER_MAPPING_RELID
from pgemu.errors import SYNTAX_ERROR, PgError
from pgemu.fmgr import pg_function
from pgemu.types.arrays_value import load_flat

_VALID = {
    PG_FOREIGN_SERVER_RELID: (
        "authtype", "service", "connect_timeout", "dbname", "host", "hostaddr", "port", "tty",
        "options", "requiressl", "sslmode", "gsslib",
    ),
    PG_USER_MAPPING_RELID: ("user", "password"),
}  # fmt: skip


@pg_function("postgresql_fdw_validator(_text, oid)")
def postgresql_fdw_validator(options: str, catalog: int) -> bool:
    """Are all option names known for objects of this catalog?"""
    valid = _VALID.get(catalog, ())
    for item in load_flat(options):
        name = str(item).partition("=")[0]
        if name not in valid:
            hint = (
                f"Valid options in this context are: {', '.join(valid)}"
                if valid
                else "There are no valid options in this context."
            )
            raise PgError(SYNTAX_ERROR, f'invalid option "{name}"', hint=hint)
    return True
