"""Collations of the ICU library (the ICU part of PostgreSQL's pg_locale.c).

The library is the system's own libicui18n, found by its versioned name and called through ctypes
when the first ICU collation is used.  Where there is none, such collations are refused in the words
of a server that was built without ICU.

A collation is known to SQLite under a name that says all of it: `icu_d_` (equal means equal bytes)
or `icu_n_` (nondeterministic), and the locale in hexadecimal digits.  So a connection can make the
comparison for any name that it meets in an index.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, INTERNAL_ERROR, PgError

_VERSIONS = range(99, 49, -1)
_LIBRARY_NAMES = ("libicui18n.so.{}", "libicui18n.{}.dylib")
_BUFFER_OVERFLOW = 15


class _Library:
    """The entry points, whose names end with the library's major version."""

    def __init__(self, i18n: Any, common: Any, version: int) -> None:
        def entry(library: Any, name: str, result: Any = ctypes.c_int32) -> Any:
            function = getattr(library, f"{name}_{version}")
            function.restype = result
            return function

        self.open = entry(i18n, "ucol_open", ctypes.c_void_p)
        self.compare = entry(i18n, "ucol_strcollUTF8")
        self.get_sort_key = entry(i18n, "ucol_getSortKey")
        self.get_version = entry(i18n, "ucol_getVersion", None)
        self.version_to_string = entry(common, "u_versionToString", None)
        self.error_name = entry(common, "u_errorName", ctypes.c_char_p)
        self.convert = {
            "lower": entry(common, "u_strToLower"),
            "upper": entry(common, "u_strToUpper"),
            "initcap": entry(common, "u_strToTitle"),
        }


@cache
def _library() -> _Library | None:
    for version in _VERSIONS:
        for pattern in _LIBRARY_NAMES:
            try:
                i18n = ctypes.CDLL(pattern.format(version))
                common = ctypes.CDLL(pattern.format(version).replace("i18n", "uc"))
            except OSError:
                continue
            return _Library(i18n, common, version)
    return None


def has_icu() -> bool:
    return _library() is not None


def library() -> _Library:
    found = _library()
    if found is None:
        raise PgError(FEATURE_NOT_SUPPORTED, "ICU is not supported in this build")
    return found


@cache
def open_collator(locale: str) -> ctypes.c_void_p:
    """The collator of a locale; it lives as long as the process."""
    icu = library()
    status = ctypes.c_int(0)
    found = icu.open(locale.encode(), ctypes.byref(status))
    if status.value > 0:
        name = icu.error_name(status).decode()
        raise PgError(INTERNAL_ERROR, f'could not open collator for locale "{locale}": {name}')
    return ctypes.c_void_p(found)


def collation_version(locale: str) -> str:
    """get_collation_actual_version."""
    icu = library()
    version = (ctypes.c_uint8 * 4)()
    text = ctypes.create_string_buffer(20)
    icu.get_version(open_collator(locale), version)
    icu.version_to_string(version, text)
    return text.value.decode()


def comparison(locale: str, deterministic: bool) -> Callable[[str, str], int]:
    """compare(a, b) of varstr_cmp: what only a deterministic collation tells apart is ordered by
    its bytes."""
    icu = library()
    collator = open_collator(locale)
    strcoll = icu.compare
    status = ctypes.c_int(0)
    where = ctypes.byref(status)

    def compare(a: str, b: str) -> int:
        if a == b:
            return 0
        left, right = a.encode(), b.encode()
        status.value = 0
        order: int = strcoll(collator, left, len(left), right, len(right), where)
        if not order and deterministic:
            return (left > right) - (left < right)
        return order

    return compare


def sqlite_collation(locale: str, deterministic: bool) -> str:
    """The name that SQLite knows the collation by."""
    return f"icu_{'d' if deterministic else 'n'}_{locale.encode().hex()}"


def comparison_of(name: str) -> Callable[[str, str], int] | None:
    """The comparison behind such a name; None: it is no name of that kind."""
    if not name.startswith(("icu_d_", "icu_n_")):
        return None
    return comparison(bytes.fromhex(name[6:]).decode(), name[4] == "d")


def convert_case(what: str, locale: str, text: str) -> str:
    """what: "lower", "upper" or "initcap", by the rules of the locale (icu_convert_case)."""
    function = library().convert[what]
    source = text.encode("utf-16-le", "surrogatepass")
    units = len(source) // 2
    size = units + 8
    middle: tuple[Any, ...] = (None,) if what == "initcap" else ()
    while True:
        target = ctypes.create_string_buffer(size * 2)
        status = ctypes.c_int(0)
        where = ctypes.byref(status)
        count = function(target, size, source, units, *middle, locale.encode(), where)
        if status.value != _BUFFER_OVERFLOW:
            return target.raw[: count * 2].decode("utf-16-le", "surrogatepass")
        size = count


def sort_key(locale: str, text: str) -> bytes:
    """Bytes that are the same for strings that the collator finds equal (ucol_getSortKey)."""
    icu = library()
    collator = open_collator(locale)
    source = text.encode("utf-16-le", "surrogatepass")
    size = len(source) * 2 + 16
    while True:
        target = ctypes.create_string_buffer(size)
        count: int = icu.get_sort_key(collator, source, len(source) // 2, target, size)
        if count <= size:
            return target.raw[:count]
        size = count
