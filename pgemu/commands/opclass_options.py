"""Parameters of operator classes in CREATE INDEX (index_opclass_options): which a class knows is
told by its options function."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgAmproc, PgOpclass, PgProc
from pgemu.commands.reloptions import KNOWN, transform_reloptions
from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER_VALUE, PgError

# built-in access method -> number of the options support function
_OPTIONS_PROC = {"btree": 5, "hash": 3, "gist": 10, "gin": 7, "spgist": 6, "brin": 5}


def transform_opclass_options(
    catalog: Any, options: Any, opclass: int, builtin_am: str
) -> tuple[str, ...] | None:
    """The options as pg_attribute.attoptions has them; None without any."""
    if not options:
        return None
    row = catalog.get(PgOpclass, oid=opclass)
    proc = catalog.one(
        PgAmproc,
        amprocfamily=row.opcfamily,
        amproclefttype=row.opcintype,
        amprocrighttype=row.opcintype,
        amprocnum=_OPTIONS_PROC[builtin_am],
    )
    if proc is None:
        raise PgError(INVALID_PARAMETER_VALUE, f"operator class {row.opcname} has no options")
    function = catalog.get(PgProc, oid=proc.amproc).proname
    if function not in KNOWN:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f"options of operator class {row.opcname} are not supported"
        )
    return transform_reloptions(options, function)
