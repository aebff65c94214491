"""tsvector_update_trigger and tsvector_update_trigger_column (PostgreSQL: utils/adt/tsvector_op.c).

Differs: an UPDATE computes the vector anew whatever columns it names.
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import (
    DATATYPE_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    NULL_VALUE_NOT_ALLOWED,
    UNDEFINED_COLUMN,
    PgError,
)
from pgemu.types.tsearch_config import configuration
from pgemu.types.tsearch_functions import make_vector, parse_text

TSVECTOROID, REGCONFIGOID = 3614, 3734
_CHARACTER = (25, 1043)


def _check(data: Any, nargs: int) -> None:
    wrong = None
    if data.level != "ROW":
        wrong = "must be fired for row"
    elif data.when != "BEFORE":
        wrong = "must be fired BEFORE event"
    elif data.operation not in ("INSERT", "UPDATE"):
        wrong = "must be fired for INSERT or UPDATE"
    elif nargs < 3:
        wrong = "arguments must be tsvector_field, ts_config, text_field1, ...)"
    if wrong is not None:
        raise PgError(INTERNAL_ERROR, f"tsvector_update_trigger: {wrong}")


def tsvector_update_trigger(session: Any, data: Any, *, config_column: bool) -> Any:
    """The new row with its tsvector column made of its text columns."""
    args = list(data.args)
    _check(data, len(args))
    types = session.catalog.types
    attrs = {a.attname: a for a in data.relation.attrs if not a.attisdropped}

    def column(name: str, what: str) -> Any:
        if name not in attrs:
            raise PgError(UNDEFINED_COLUMN, f'{what} "{name}" does not exist')
        return attrs[name]

    target = column(args[0], "tsvector column")
    if types.base_type(target.atttypid) != TSVECTOROID:
        raise PgError(DATATYPE_MISMATCH, f'column "{args[0]}" is not of tsvector type')
    row = list(data.new)
    if config_column:
        source = column(args[1], "configuration column")
        if types.base_type(source.atttypid) != REGCONFIGOID:
            raise PgError(DATATYPE_MISMATCH, f'column "{args[1]}" is not of regconfig type')
        config = row[source.attnum - 1]
        if config is None:
            raise PgError(
                NULL_VALUE_NOT_ALLOWED, f'configuration column "{args[1]}" must not be null'
            )
    else:
        if "." not in args[1]:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'text search configuration name "{args[1]}" must be schema-qualified',
            )
        config = types.io(REGCONFIGOID).input(args[1], -1, session.ctx)
    chosen = configuration(session.ctx, config)
    words: list[tuple[int, list[str]]] = []
    position = 0
    for name in args[2:]:
        source = column(name, "column")
        if types.base_type(source.atttypid) not in _CHARACTER:
            raise PgError(DATATYPE_MISMATCH, f'column "{name}" is not of a character type')
        text = row[source.attnum - 1]
        if text is not None:
            found = list(parse_text(session.ctx, chosen, text, position))
            words += found
            position = found[-1][0] if found else position
    row[target.attnum - 1] = make_vector(words)
    return row
