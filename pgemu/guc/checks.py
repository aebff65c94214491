"""Check hooks: what a setting's text must be beyond its type, and its canonical form.

Counterpart: the check_* functions of PostgreSQL's guc.c and variable.c.  Hooks that need a
session (role, tablespaces, transaction_isolation, ...) are put in by the session.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER_VALUE, PgError
from pgemu.guc.encodings import encoding_by_name
from pgemu.guc.lists import split_guc_list, split_identifier_string
from pgemu.guc.parse import invalid_value
from pgemu.guc.timezone import BadZone, canonical_zone, named_zone

CheckHook = Callable[[str], str]
"""The new text -> canonical text; PgError to refuse."""

_STYLES = {"ISO": "ISO", "SQL": "SQL", "GERMAN": "German"}
_ORDERS = {
    "YMD": "YMD",
    "DMY": "DMY",
    "MDY": "MDY",
    "US": "MDY",
}
_LOCALES = frozenset(
    [
        "C",
        "POSIX",
        "C.UTF-8",
        "C.UTF8",
        "C.utf8",
        "C.utf-8",
        "en_US",
        "en_US.UTF-8",
        "en_US.utf8",
        "en_US.UTF8",
    ]
)


def split_datestyle(value: str) -> tuple[str, str]:
    """(style, order) of the canonical form 'ISO, MDY'."""
    style, _, order = value.partition(", ")
    return style, order


def check_datestyle(text: str, current: str, *, default: str = "ISO, MDY") -> str:
    """DateStyle: style and order given together or alone; what is not given stays."""
    words = split_identifier_string(text)
    if words is None:
        raise invalid_value("DateStyle", f'"{text}"', detail="List syntax is invalid.")
    style: str | None = None
    order: str | None = None
    asked_default = False
    conflict = False
    for word in words:
        upper = word.upper()
        if upper in _STYLES or upper.startswith("POSTGRES"):
            new_style = _STYLES.get(upper, "Postgres")
            conflict |= style is not None and style != new_style
            style = new_style
            if upper == "GERMAN" and order is None:
                order = "DMY"
                continue
        elif upper in _ORDERS or upper.startswith(("EURO", "NONEURO")):
            if upper.startswith("EURO"):
                new_order = "DMY"
            else:
                new_order = _ORDERS.get(upper, "MDY")
            conflict |= order is not None and order != new_order and style != "German"
            order = new_order
        elif upper == "DEFAULT":
            asked_default = True
        else:
            raise invalid_value(
                "DateStyle", f'"{text}"', detail=f'Unrecognized key word: "{word}".'
            )
    if conflict:
        raise invalid_value(
            "DateStyle", f'"{text}"', detail='Conflicting "datestyle" specifications.'
        )
    now_style, now_order = split_datestyle(default if asked_default else current)
    return f"{style or now_style or 'ISO'}, {order or now_order or 'MDY'}"


def check_timezone(text: str) -> str:
    return _zone("TimeZone", text, canonical_zone)


def check_log_timezone(text: str) -> str:
    return _zone("log_timezone", text, named_zone)


def _zone(name: str, text: str, canonical: Callable[[str], str | None]) -> str:
    try:
        zone = canonical(text)
    except BadZone as bad:
        if bad.message is not None:
            raise PgError(INVALID_PARAMETER_VALUE, bad.message, detail=bad.detail) from None
        raise invalid_value(name, f'"{text}"', detail=bad.detail) from None
    if zone is None:
        raise invalid_value(name, f'"{text}"')
    return zone


def check_client_encoding(text: str) -> str:
    encoding = encoding_by_name(text)
    if encoding is None:
        raise invalid_value("client_encoding", f'"{text}"')
    if encoding.codec is None:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'invalid value for parameter "client_encoding": "{text}"',
            detail=f"Conversion between {encoding.name} and UTF8 is not supported.",
        )
    # A JDBC driver of old insists on reading back what it wrote.
    return text if text == "UNICODE" else encoding.name


def check_search_path(text: str) -> str:
    return check_identifiers("search_path", text)


def check_identifiers(name: str, text: str) -> str:
    if split_identifier_string(text) is None:
        raise invalid_value(name, f'"{text}"', detail="List syntax is invalid.")
    return text


def check_ascii(text: str) -> str:
    """application_name, cluster_name: what is not printable ASCII becomes '?', byte by byte."""
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 32 <= byte <= 126 else "?" for byte in raw)


def check_locale(name: str, text: str) -> str:
    """pgemu formats as the locale C; these give the same output."""
    if text and text not in _LOCALES:
        raise invalid_value(name, f'"{text}"')
    return text


def check_keywords(name: str, allowed: frozenset[str], text: str) -> str:
    """A list of key words, as log_destination takes."""
    words = split_identifier_string(text)
    if words is None:
        raise invalid_value(name, f'"{text}"', detail="List syntax is invalid.")
    for word in words:
        if word.lower() not in allowed:
            raise invalid_value(name, f'"{text}"', detail=f'Unrecognized key word: "{word}".')
    return text


def check_plpgsql_checks(name: str, text: str) -> str:
    """plpgsql.extra_errors and its twin."""
    if text.lower() in ("all", "none"):
        return text
    words = split_identifier_string(text)
    for word in words or ():
        if word.lower() in ("all", "none"):
            raise invalid_value(
                name,
                f'"{text}"',
                detail=f'Key word "{word}" cannot be combined with other key words.',
            )
    return check_keywords(name, _PLPGSQL_CHECKS, text)


def check_restrict_kind(text: str) -> str:
    return check_keywords(
        "restrict_nonsystem_relation_kind", frozenset({"view", "foreign-table"}), text
    )


def check_guc_list(name: str, text: str) -> str:
    if split_guc_list(text) is None:
        raise invalid_value(name, f'"{text}"', detail="List syntax is invalid.")
    return text


def check_default_with_oids(text: str) -> str:
    if text == "on":
        raise PgError(FEATURE_NOT_SUPPORTED, "tables declared WITH OIDS are not supported")
    return text


def check_max_stack_depth(text: str) -> str:
    if int(text) > 7680:
        raise invalid_value(
            "max_stack_depth",
            text,
            detail='"max_stack_depth" must not exceed 7680kB.',
            hint='Increase the platform\'s stack depth limit via "ulimit -s" or local equivalent.',
        )
    return text


def check_timezone_abbreviations(text: str) -> str:
    if text not in ("", "Default", "Australia", "India"):
        raise invalid_value("timezone_abbreviations", f'"{text}"')
    return text


_RESOURCE_MANAGERS = frozenset(
    [
        "all",
        "xlog",
        "transaction",
        "storage",
        "clog",
        "database",
        "tablespace",
        "multixact",
        "relmap",
        "standby",
        "heap2",
        "heap",
        "btree",
        "hash",
        "gin",
        "gist",
        "sequence",
        "spgist",
        "brin",
        "committs",
        "replicationorigin",
        "generic",
        "logicalmessage",
    ]
)
_LOG_DESTINATIONS = frozenset({"stderr", "csvlog", "jsonlog", "syslog", "eventlog"})
_PLPGSQL_CHECKS = frozenset({"shadowed_variables", "too_many_rows", "strict_multi_assignment"})

CHECK_HOOKS: dict[str, CheckHook] = {
    "application_name": check_ascii,
    "client_encoding": check_client_encoding,
    "cluster_name": check_ascii,
    "default_with_oids": check_default_with_oids,
    "lc_messages": partial(check_locale, "lc_messages"),
    "lc_monetary": partial(check_locale, "lc_monetary"),
    "lc_numeric": partial(check_locale, "lc_numeric"),
    "lc_time": partial(check_locale, "lc_time"),
    "log_destination": partial(check_keywords, "log_destination", _LOG_DESTINATIONS),
    "log_timezone": check_log_timezone,
    "max_stack_depth": check_max_stack_depth,
    "plpgsql.extra_errors": partial(check_plpgsql_checks, "plpgsql.extra_errors"),
    "plpgsql.extra_warnings": partial(check_plpgsql_checks, "plpgsql.extra_warnings"),
    "restrict_nonsystem_relation_kind": check_restrict_kind,
    "search_path": check_search_path,
    "temp_tablespaces": partial(check_identifiers, "temp_tablespaces"),
    "timezone": check_timezone,
    "timezone_abbreviations": check_timezone_abbreviations,
    "wal_consistency_checking": partial(
        check_keywords, "wal_consistency_checking", _RESOURCE_MANAGERS
    ),
}
