"""The options of COPY (ProcessCopyOptions of PostgreSQL's copy.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.commands.define import (
    def_get_boolean,
    def_get_string,
    error_conflicting_def_elem,
    strings,
)
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    PgError,
)


@dataclass(slots=True)
class CopyFormatOptions:
    """delim, null, quote and escape are text.  header: "", "true" or "match".  forced: numbers of
    columns (0-based, in COPY's order) by option, once the columns are known."""

    format: str = "text"
    freeze: bool = False
    delim: str = "\t"
    null: str = "\\N"
    header: str = ""
    quote: str = '"'
    escape: str = '"'
    force_quote: list[str] = field(default_factory=list)
    force_quote_all: bool = False
    force_notnull: list[str] = field(default_factory=list)
    force_null: list[str] = field(default_factory=list)
    encoding: str = ""
    forced: dict[str, frozenset[int]] = field(default_factory=dict)

    @property
    def csv(self) -> bool:
        return self.format == "csv"

    @property
    def binary(self) -> bool:
        return self.format == "binary"


def _header_choice(option: dict[str, Any], is_from: bool) -> str:
    """defGetCopyHeaderChoice."""
    if option.get("arg") is None:
        return "true"
    text = def_get_string(option).lower()
    if text in ("true", "on", "1"):
        return "true"
    if text in ("false", "off", "0"):
        return ""
    if text == "match":
        if not is_from:
            raise PgError(FEATURE_NOT_SUPPORTED, 'cannot use "match" with HEADER in COPY TO')
        return "match"
    raise PgError(SYNTAX_ERROR, f'{option["defname"]} requires a Boolean value or "match"')


def _column_names(option: dict[str, Any]) -> list[str]:
    arg = option.get("arg") or {}
    if "List" not in arg:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'argument to option "{option["defname"]}" must be a list of column names',
            location=option.get("location"),
        )
    return strings(arg["List"].get("items"))


def process_copy_options(
    session: Any, raw: list[dict[str, Any]], *, is_from: bool
) -> CopyFormatOptions:
    """Read and check the options."""
    seen: dict[str, dict[str, Any]] = {}
    options = CopyFormatOptions()
    for node in raw:
        option = node["DefElem"]
        name = option["defname"]
        if name in seen:
            raise error_conflicting_def_elem(option)
        seen[name] = option
        _take(session, options, name, option, is_from)
    if options.csv:
        if "delimiter" not in seen:
            options.delim = ","
        if "null" not in seen:
            options.null = ""
        if "escape" not in seen:
            options.escape = options.quote
    _check_binary(options, seen)
    if not options.binary:
        _check_characters(options, seen)
    _check_csv_only(options, seen, is_from)
    _check_null(options)
    return options


def _take(
    session: Any, options: CopyFormatOptions, name: str, option: dict[str, Any], is_from: bool
) -> None:
    match name:
        case "format":
            form = def_get_string(option)
            if form not in ("text", "csv", "binary"):
                raise PgError(
                    INVALID_PARAMETER_VALUE,
                    f'COPY format "{form}" not recognized',
                    location=option.get("location"),
                )
            options.format = form
        case "freeze":
            options.freeze = def_get_boolean(option)
        case "delimiter":
            options.delim = def_get_string(option)
        case "null":
            options.null = def_get_string(option)
        case "header":
            options.header = _header_choice(option, is_from)
        case "quote":
            options.quote = def_get_string(option)
        case "escape":
            options.escape = def_get_string(option)
        case "force_quote":
            if "A_Star" in (option.get("arg") or {}):
                options.force_quote_all = True
            else:
                options.force_quote = _column_names(option)
        case "force_not_null":
            options.force_notnull = _column_names(option)
        case "force_null":
            options.force_null = _column_names(option)
        case "encoding":
            options.encoding = _encoding(option)
        case _:
            raise PgError(
                SYNTAX_ERROR, f'option "{name}" not recognized', location=option.get("location")
            )


def _encoding(option: dict[str, Any]) -> str:
    from pgemu.guc.encodings import encoding_by_name

    found = encoding_by_name(def_get_string(option))
    if found is None:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'argument to option "{option["defname"]}" must be a valid encoding name',
            location=option.get("location"),
        )
    if found.codec is None:
        raise PgError(FEATURE_NOT_SUPPORTED, f"encoding {found.name} is not supported")
    return found.codec


def _check_binary(options: CopyFormatOptions, seen: dict[str, Any]) -> None:
    if not options.binary:
        return
    for name, word in (("delimiter", "DELIMITER"), ("null", "NULL")):
        if name in seen:
            raise PgError(SYNTAX_ERROR, f"cannot specify {word} in BINARY mode")
    if options.header:
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot specify HEADER in BINARY mode")


def _check_characters(options: CopyFormatOptions, seen: dict[str, Any]) -> None:
    if len(options.delim.encode()) != 1:
        raise PgError(FEATURE_NOT_SUPPORTED, "COPY delimiter must be a single one-byte character")
    if options.delim in "\r\n":
        raise PgError(
            INVALID_PARAMETER_VALUE, "COPY delimiter cannot be newline or carriage return"
        )
    if "\r" in options.null or "\n" in options.null:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "COPY null representation cannot use newline or carriage return",
        )
    if not options.csv and options.delim in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
        raise PgError(INVALID_PARAMETER_VALUE, f'COPY delimiter cannot be "{options.delim}"')


def _check_csv_only(options: CopyFormatOptions, seen: dict[str, Any], is_from: bool) -> None:
    csv = options.csv
    for name in ("quote", "escape"):
        if not csv and name in seen:
            raise PgError(FEATURE_NOT_SUPPORTED, f"COPY {name} available only in CSV mode")
        if csv and len(getattr(options, name).encode()) != 1:
            raise PgError(FEATURE_NOT_SUPPORTED, f"COPY {name} must be a single one-byte character")
        if csv and name == "quote" and options.delim == options.quote:
            raise PgError(INVALID_PARAMETER_VALUE, "COPY delimiter and quote must be different")
    for given, word, wants_from, only in (
        (options.force_quote or options.force_quote_all, "force quote", False, "COPY TO"),
        (options.force_notnull, "force not null", True, "COPY FROM"),
        (options.force_null, "force null", True, "COPY FROM"),
    ):
        if given and not csv:
            raise PgError(FEATURE_NOT_SUPPORTED, f"COPY {word} available only in CSV mode")
        if given and is_from != wants_from:
            raise PgError(FEATURE_NOT_SUPPORTED, f"COPY {word} only available using {only}")


def _check_null(options: CopyFormatOptions) -> None:
    if options.binary:
        return
    if options.delim in options.null:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "COPY delimiter must not appear in the NULL specification"
        )
    if options.csv and options.quote in options.null:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "CSV quote character must not appear in the NULL specification",
        )
