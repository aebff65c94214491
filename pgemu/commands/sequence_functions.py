"""nextval, currval, setval, lastval and the functions that look at sequences (sequence.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import acl
from pgemu.catalog.regproc import relation_of_text
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import PgSequence
from pgemu.commands.sequence import owned_sequences
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function


def _sequence(ctx: CallContext, oid: int) -> tuple[Any, PgSequence]:
    catalog = ctx.catalog
    found: tuple[Any, PgSequence] = catalog.cached_for_relation(
        oid, "sequence_info", lambda: _load_sequence(catalog, oid)
    )
    return found


def _load_sequence(catalog: Any, oid: int) -> tuple[Any, PgSequence]:
    relation = catalog.relation(oid)
    if relation.relkind != "S":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a sequence')
    return relation, catalog.one(PgSequence, seqrelid=oid)


def _check(ctx: CallContext, relation: Any, modes: str) -> None:
    if superuser(ctx.catalog):
        return
    bits = {"U": acl.ACL_USAGE, "S": acl.ACL_SELECT, "W": acl.ACL_UPDATE}
    if not any(acl.pg_class_aclcheck(ctx.catalog, relation.oid, bits[m]) for m in modes):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for sequence {relation.name}")


@pg_function("nextval(regclass) -> int8", context=True)
def nextval(ctx: CallContext, oid: int, *, check: bool = True) -> int:
    """The next value; never rolled back.  An identity column asks nobody for privileges."""
    relation, row = _sequence(ctx, oid)
    session = ctx.session
    if check:
        _check(ctx, relation, "UW")
    if relation.persistence != "t":
        session.xact.prevent_if_read_only("nextval()")
    value: int = session.sequences.nextval(
        relation.relfilenode, row.seqincrement, row.seqmin, row.seqmax, row.seqcycle,
        row.seqcache, relation.name,
    )  # fmt: skip
    state = session.sequence_state
    state[oid] = value
    state["last"] = oid
    return value


@pg_function("currval(regclass) -> int8", context=True)
def currval(ctx: CallContext, oid: int) -> int:
    """The value this session got last from the sequence."""
    relation, _row = _sequence(ctx, oid)
    _check(ctx, relation, "US")
    value: int | None = ctx.session.sequence_state.get(oid)
    if value is None:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'currval of sequence "{relation.name}" is not yet defined in this session',
        )
    return value


@pg_function("lastval() -> int8", context=True)
def lastval(ctx: CallContext) -> int:
    """The value this session got last from any sequence."""
    state = ctx.session.sequence_state
    oid = state.get("last")
    if oid is None or ctx.catalog.one(PgSequence, seqrelid=oid) is None:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session"
        )
    relation, _row = _sequence(ctx, oid)
    _check(ctx, relation, "US")
    value: int = state[oid]
    return value


@pg_function("setval(regclass, int8) -> int8", context=True)
def setval(ctx: CallContext, oid: int, value: int) -> int:
    """Set the value; the next nextval goes on from it."""
    return _setval(ctx, oid, value, True)


@pg_function("setval(regclass, int8, bool) -> int8", context=True)
def setval_called(ctx: CallContext, oid: int, value: int, is_called: int) -> int:
    """The same; is_called false: the next nextval returns this value."""
    return _setval(ctx, oid, value, bool(is_called))


def _setval(ctx: CallContext, oid: int, value: int, is_called: bool) -> int:
    relation, row = _sequence(ctx, oid)
    _check(ctx, relation, "W")
    if relation.persistence != "t":
        ctx.session.xact.prevent_if_read_only("setval()")
    if not row.seqmin <= value <= row.seqmax:
        raise PgError(
            NUMERIC_VALUE_OUT_OF_RANGE,
            f'setval: value {value} is out of bounds for sequence "{relation.name}" '
            f"({row.seqmin}..{row.seqmax})",
        )
    ctx.session.sequences.set(relation.relfilenode, value, is_called)
    if is_called:
        ctx.session.sequence_state[oid] = value
    return value


@pg_function("pg_sequence_last_value(regclass) -> int8", context=True)
def pg_sequence_last_value(ctx: CallContext, oid: int) -> int | None:
    """last_value, NULL while nextval was never called."""
    relation, _row = _sequence(ctx, oid)
    _check(ctx, relation, "US")
    last, _log, called = ctx.session.sequences.read(relation.relfilenode)
    return int(last) if called else None


@pg_function("pg_sequence_parameters(oid) -> record", context=True)
def pg_sequence_parameters(ctx: CallContext, oid: int) -> str:
    """The parameters as one record."""
    import json

    relation, row = _sequence(ctx, oid)
    _check(ctx, relation, "USW")
    values = [
        row.seqstart, row.seqmin, row.seqmax, row.seqincrement, int(row.seqcycle), row.seqcache,
        row.seqtypid,
    ]  # fmt: skip
    return json.dumps({"t": [20, 20, 20, 20, 16, 20, 26], "v": values}, separators=(",", ":"))


@pg_function("pg_get_serial_sequence(text, text) -> text", context=True)
def pg_get_serial_sequence(ctx: CallContext, table: str, column: str) -> str | None:
    """The sequence owned by a column, qualified and quoted."""
    from pgemu.catalog.keywords import quote_qualified_identifier

    catalog = ctx.catalog
    relation = catalog.relation(relation_of_text(catalog, table))
    att = relation.attrs_by_name.get(column)
    if att is None:
        raise PgError(
            UNDEFINED_COLUMN, f'column "{column}" of relation "{relation.name}" does not exist'
        )
    found = owned_sequences(catalog, relation.oid, att.attnum)
    if not found:
        return None
    sequence = catalog.relation(found[0])
    return quote_qualified_identifier(sequence.schema_name, sequence.name)
