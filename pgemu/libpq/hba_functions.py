"""The functions below pg_hba_file_rules and pg_ident_file_mappings: what the files say now, with
what is wrong in them (PostgreSQL's hbafuncs.c)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgemu.errors import PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.libpq.hba import HbaLine, hba_rules, ident_mappings

Row = tuple[Any, ...]
_IDENT_FIELDS = 3


@pg_function("pg_hba_file_rules()", context=True)
def pg_hba_file_rules(ctx: CallContext) -> Iterator[Row]:
    path = ctx.session.cluster.hba_path
    try:
        rules = list(hba_rules(Path(path)))
    except OSError as error:
        raise _not_opened(path, error) from error
    for number, rule in rules:
        yield (number, *_hba_columns(rule))


def _hba_columns(rule: HbaLine | str) -> Row:
    if isinstance(rule, str):
        return None, None, None, None, None, None, None, rule
    address, netmask = rule.address.partition("/")[0] or None, None
    if rule.network is not None:
        netmask = str(rule.network.netmask)
    options = [f"{name}={value}" for name, value in rule.options.items()]
    return (
        rule.kind,
        _texts([name.text for name in rule.databases]),
        _texts([name.text for name in rule.users]),
        address,
        netmask,
        rule.method,
        _texts(options) if options else None,
        None,
    )


def _texts(items: list[str]) -> str:
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)


@pg_function("pg_ident_file_mappings()", context=True)
def pg_ident_file_mappings(ctx: CallContext) -> Iterator[Row]:
    """A cluster is made without pg_ident.conf: then there are none."""
    path = ctx.session.cluster.ident_path
    try:
        mappings = list(ident_mappings(Path(path)))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _not_opened(path, error) from error
    for number, fields in mappings:
        if len(fields) < _IDENT_FIELDS:
            yield number, None, None, None, "missing entry at end of line"
        else:
            yield (number, *fields[:_IDENT_FIELDS], None)


def _not_opened(path: str, error: OSError) -> PgError:
    return PgError("58P01", f'could not open file "{path}": {error.strerror}')
