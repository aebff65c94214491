"""Storage parameters of WITH (...) (PostgreSQL's reloptions.c): names and value ranges are checked,
values are kept as text in reloptions.  None of them changes a result."""

from __future__ import annotations

import sys
from typing import Any

from pgemu.commands.define import def_get_string, elements
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    PgError,
)

_AUTOVACUUM = (
    "autovacuum_enabled", "autovacuum_vacuum_threshold", "autovacuum_vacuum_insert_threshold",
    "autovacuum_analyze_threshold", "autovacuum_vacuum_cost_limit", "autovacuum_vacuum_cost_delay",
    "autovacuum_freeze_min_age", "autovacuum_freeze_max_age", "autovacuum_freeze_table_age",
    "autovacuum_multixact_freeze_min_age", "autovacuum_multixact_freeze_max_age",
    "autovacuum_multixact_freeze_table_age", "log_autovacuum_min_duration",
    "autovacuum_vacuum_scale_factor", "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_scale_factor", "vacuum_index_cleanup", "vacuum_truncate",
)  # fmt: skip
_INT_MAX = 2147483647
_INTEGER_RANGES = {
    "parallel_workers": (0, 1024), "toast_tuple_target": (128, 8160),
    "pages_per_range": (1, 131072), "gin_pending_list_limit": (64, _INT_MAX),
    "autovacuum_vacuum_threshold": (0, _INT_MAX), "autovacuum_analyze_threshold": (0, _INT_MAX),
    "autovacuum_vacuum_insert_threshold": (-1, _INT_MAX),
    "autovacuum_vacuum_cost_limit": (1, 10000),
    "autovacuum_freeze_min_age": (0, 1000000000),
    "autovacuum_multixact_freeze_min_age": (0, 1000000000),
    "autovacuum_freeze_max_age": (100000, 2000000000),
    "autovacuum_multixact_freeze_max_age": (10000, 2000000000),
    "autovacuum_freeze_table_age": (0, 2000000000),
    "autovacuum_multixact_freeze_table_age": (0, 2000000000),
    "log_autovacuum_min_duration": (-1, _INT_MAX),
    "values_per_range": (8, 256), "siglen": (1, 2024),
    "effective_io_concurrency": (0, 1000), "maintenance_io_concurrency": (0, 1000),
}  # fmt: skip
_INTEGER_RANGES |= {"length": (1, 4096), **{f"col{n}": (1, 4095) for n in range(1, 33)}}
_REAL_RANGES = {
    "autovacuum_vacuum_scale_factor": (0.0, 100.0),
    "autovacuum_vacuum_insert_scale_factor": (0.0, 100.0),
    "autovacuum_analyze_scale_factor": (0.0, 100.0),
    "autovacuum_vacuum_cost_delay": (0.0, 100.0),
    "vacuum_cleanup_index_scale_factor": (0.0, 1e10),
    "n_distinct_per_range": (-1.0, float(_INT_MAX)), "false_positive_rate": (0.0001, 0.25),
    "random_page_cost": (0.0, sys.float_info.max), "seq_page_cost": (0.0, sys.float_info.max),
    "n_distinct": (-1.0, sys.float_info.max), "n_distinct_inherited": (-1.0, sys.float_info.max),
}  # fmt: skip
_ON_OFF_AUTO = ("auto", "on", "off", "true", "false", "yes", "no", "1", "0")
_ON_OFF_WORDS = 'Valid values are "on", "off", and "auto".'
# option -> accepted words, the error's detail
_ENUMS = {
    "check_option": (("local", "cascaded"), 'Valid values are "local" and "cascaded".'),
    "buffering": (("on", "off", "auto"), _ON_OFF_WORDS),
    "vacuum_index_cleanup": (_ON_OFF_AUTO, _ON_OFF_WORDS),
}
_MIN_FILLFACTOR = {"heap": 10, "btree": 10, "hash": 10, "gist": 10, "spgist": 10}
_BOOLEANS = frozenset(
    ("autovacuum_enabled", "vacuum_truncate", "user_catalog_table", "deduplicate_items",
     "fastupdate", "autosummarize", "security_barrier", "security_invoker")
)  # fmt: skip
# kind -> names
KNOWN: dict[str, tuple[str, ...]] = {
    "heap": (
        "fillfactor", "toast_tuple_target", "parallel_workers", "user_catalog_table",
        *_AUTOVACUUM,
    ),
    "toast": _AUTOVACUUM,
    "view": ("security_barrier", "security_invoker", "check_option"),
    "partitioned": (),
    "btree": ("fillfactor", "deduplicate_items", "vacuum_cleanup_index_scale_factor"),
    "hash": ("fillfactor",),
    "gist": ("fillfactor", "buffering"),
    "spgist": ("fillfactor",),
    "gin": ("fastupdate", "gin_pending_list_limit"),
    "brin": ("pages_per_range", "autosummarize"),
    "brin_minmax_multi_options": ("values_per_range",),
    "brin_bloom_options": ("n_distinct_per_range", "false_positive_rate"),
    "gtsvector_options": ("siglen",),
    "tablespace": (
        "random_page_cost", "seq_page_cost", "effective_io_concurrency",
        "maintenance_io_concurrency",
    ),
    "bloom": ("length", *(f"col{n}" for n in range(1, 33))),
}  # fmt: skip


def transform_reloptions(
    options: list[dict[str, Any]] | None, kind: str, existing: tuple[str, ...] | None = None
) -> tuple[str, ...] | None:
    """transformRelOptions for SET: merged with the existing ones; None when empty."""
    merged = dict(o.split("=", 1) for o in existing or ())
    seen: set[str] = set()
    for option in elements(options):
        name = option["defname"]
        space = option.get("defnamespace")
        if space == "toast":
            _check_name(name, "toast")
            continue
        if space is not None:
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized parameter namespace "{space}"')
        if name == "oids" and kind in ("heap", "partitioned"):
            if option.get("arg") is None or def_get_string(option) in ("true", "on", "1"):
                raise PgError(FEATURE_NOT_SUPPORTED, "tables declared WITH OIDS are not supported")
            continue
        text = "true" if option.get("arg") is None else def_get_string(option)
        _check_name(name, kind)
        if name in seen:
            raise PgError(INVALID_PARAMETER_VALUE, f'parameter "{name}" specified more than once')
        seen.add(name)
        check_value(name, text, kind)
        merged.pop(name, None)  # what is set again goes behind what stays
        merged[name] = text
    return tuple(f"{k}={v}" for k, v in merged.items()) or None


def reset_reloptions(
    options: list[dict[str, Any]] | None, existing: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """RESET (a, b)."""
    merged = dict(o.split("=", 1) for o in existing or ())
    for option in elements(options):
        if option.get("arg") is not None:
            raise PgError("42601", "RESET must not include values for parameters")
        merged.pop(option["defname"], None)
    return tuple(f"{k}={v}" for k, v in merged.items()) or None


def _check_name(name: str, kind: str) -> None:
    if kind == "partitioned":
        raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized parameter "{name}"')
    if name not in KNOWN[kind]:
        raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized parameter "{name}"')


def check_value(name: str, text: str, kind: str) -> None:
    """parse_one_reloption: a value of the option's type and range."""
    if name in _BOOLEANS:
        if text.lower() not in ("true", "false", "on", "off", "yes", "no", "1", "0", "t", "f"):
            raise PgError(
                INVALID_PARAMETER_VALUE, f'invalid value for boolean option "{name}": {text}'
            )
        return
    if name in _ENUMS:
        words, detail = _ENUMS[name]
        if text.lower() not in words:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'invalid value for enum option "{name}": {text}',
                detail=detail,
            )
        return
    if name in _REAL_RANGES:
        _check_real(name, text)
        return
    low_high = _INTEGER_RANGES.get(name)
    if name == "fillfactor":
        low_high = (_MIN_FILLFACTOR.get(kind, 10), 100)
    if low_high is None:
        return
    try:
        value = round(float(text))
    except (ValueError, OverflowError):
        raise PgError(
            INVALID_PARAMETER_VALUE, f'invalid value for integer option "{name}": {text}'
        ) from None
    if not low_high[0] <= value <= low_high[1]:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'value {text} out of bounds for option "{name}"',
            detail=f'Valid values are between "{low_high[0]}" and "{low_high[1]}".',
        )


def _check_real(name: str, text: str) -> None:
    try:
        value = float(text)
    except ValueError:
        raise PgError(
            INVALID_PARAMETER_VALUE, f'invalid value for floating point option "{name}": {text}'
        ) from None
    low, high = _REAL_RANGES[name]
    if not low <= value <= high:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'value {text} out of bounds for option "{name}"',
            detail=f'Valid values are between "{low:f}" and "{high:f}".',
        )
