"""Regular expression operators and functions (PostgreSQL: utils/adt/regexp.c).

Patterns are compiled (and cached) by are.compile_are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import pg_function
from pgemu.types.are import Options, compile_are
from pgemu.types.varlena import text_array

REFERENCE = re.compile(r"\\(.)", re.DOTALL)


def parse_flags(flags: str) -> tuple[str, bool]:
    """(flags for the compiler, global?)."""
    probe = Options()
    for letter in flags:
        if letter != "g" and not probe.apply(letter):
            raise PgError(INVALID_PARAMETER_VALUE, f'invalid regular expression option: "{letter}"')
    return flags.replace("g", ""), "g" in flags


def no_global(flags: str, function: str, hint: str | None = None) -> str:
    cleaned, is_global = parse_flags(flags)
    if is_global:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'{function}() does not support the "global" option',
            hint=hint,
        )
    return cleaned


def textregexeq(text: str, pattern: str) -> bool:
    return compile_are(pattern).search(text) is not None


def texticregexeq(text: str, pattern: str) -> bool:
    return compile_are(pattern, "i").search(text) is not None


for _type in ("text", "name", "bpchar"):
    pg_function(f"{_type}regexeq({_type},text)")(textregexeq)
    pg_function(f"{_type}regexne({_type},text)")(lambda t, p: not textregexeq(t, p))
    pg_function(f"{_type}icregexeq({_type},text)")(texticregexeq)
    pg_function(f"{_type}icregexne({_type},text)")(lambda t, p: not texticregexeq(t, p))


def all_matches(compiled: Any, text: str, start: int = 0) -> Iterator[Any]:
    """Successive matches; after an empty one the search moves a character on."""
    position = start
    while position <= len(text):
        match = compiled.search(text, position)
        if match is None:
            return
        yield match
        position = match.end() + (match.end() == match.start())


def captured(match: Any) -> list[str | None]:
    """The groups of a match, or the whole of it if the pattern has none."""
    groups = list(match.groups())
    return groups if groups else [match[0]]


@pg_function("regexp_like(text,text)", "regexp_like(text,text,text)")
def regexp_like(text: str, pattern: str, flags: str = "") -> bool:
    cleaned = no_global(flags, "regexp_like")
    return compile_are(pattern, cleaned).search(text) is not None


@pg_function("regexp_match(text,text)", "regexp_match(text,text,text)")
def regexp_match(text: str, pattern: str, flags: str = "") -> str | None:
    cleaned = no_global(flags, "regexp_match", "Use the regexp_matches function instead.")
    match = compile_are(pattern, cleaned).search(text)
    return None if match is None else text_array(captured(match))


@pg_function("regexp_matches(text,text)", "regexp_matches(text,text,text)")
def regexp_matches(text: str, pattern: str, flags: str = "") -> Iterator[str]:
    cleaned, is_global = parse_flags(flags)
    for match in all_matches(compile_are(pattern, cleaned), text):
        yield text_array(captured(match))
        if not is_global:
            return


def substitution(replacement: str) -> Callable[[Any], str]:
    """What replaces a match: \\1 .. \\9, \\& and \\\\ are special."""
    if "\\" not in replacement:
        return lambda match: replacement

    def made(match: Any) -> str:
        def reference(found: re.Match[str]) -> str:
            char = found[1]
            if char == "&":
                return str(match[0])
            if char == "\\":
                return "\\"
            if char in "123456789":
                number = int(char)
                return (match[number] or "") if number <= match.re.groups else ""
            return found[0]

        return REFERENCE.sub(reference, replacement)

    return made


def replace_matches(text: str, compiled: Any, replacement: str, start: int, n: int) -> str:
    """replace_text_regexp: the n-th match, or all if n is 0."""
    made = substitution(replacement)
    out: list[str] = []
    end = 0
    for count, match in enumerate(all_matches(compiled, text, start), 1):
        if n and count != n:
            continue
        out.append(text[end : match.start()])
        out.append(made(match))
        end = match.end()
        if n:
            break
    out.append(text[end:])
    return "".join(out)


@pg_function("regexp_replace(text,text,text)", "regexp_replace(text,text,text,text)")
def regexp_replace(text: str, pattern: str, replacement: str, flags: str = "") -> str:
    if flags[:1].isdigit():
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'invalid regular expression option: "{flags[:1]}"',
            hint="If you meant to use regexp_replace() with a start parameter, cast the fourth "
            "argument to integer explicitly.",
        )
    cleaned, is_global = parse_flags(flags)
    return replace_matches(
        text, compile_are(pattern, cleaned), replacement, 0, 0 if is_global else 1
    )


def check_parameter(name: str, value: int, minimum: int) -> None:
    if value < minimum:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid value for parameter "{name}": {value}')


@pg_function(
    "regexp_replace(text,text,text,int4)",
    "regexp_replace(text,text,text,int4,int4)",
    "regexp_replace(text,text,text,int4,int4,text)",
)
def regexp_replace_extended(
    text: str, pattern: str, replacement: str, start: int, n: int | None = None, flags: str = ""
) -> str:
    check_parameter("start", start, 1)
    if n is not None:
        check_parameter("n", n, 0)
    cleaned, is_global = parse_flags(flags)
    if n is None:
        n = 0 if is_global else 1
    return replace_matches(text, compile_are(pattern, cleaned), replacement, start - 1, n)


def split_fields(text: str, compiled: Any) -> Iterator[str]:
    """The text between matches; an empty match next to the last one does not count."""
    end = 0
    for match in all_matches(compiled, text):
        if match.start() < len(text) and match.end() > end:
            yield text[end : match.start()]
            end = match.end()
    yield text[end:]


@pg_function("regexp_split_to_table(text,text)", "regexp_split_to_table(text,text,text)")
def regexp_split_to_table(text: str, pattern: str, flags: str = "") -> Iterator[str]:
    cleaned = no_global(flags, "regexp_split_to_table")
    yield from split_fields(text, compile_are(pattern, cleaned))


@pg_function("regexp_split_to_array(text,text)", "regexp_split_to_array(text,text,text)")
def regexp_split_to_array(text: str, pattern: str, flags: str = "") -> str:
    cleaned = no_global(flags, "regexp_split_to_array")
    return text_array(list(split_fields(text, compile_are(pattern, cleaned))))


@pg_function(
    "regexp_count(text,text)",
    "regexp_count(text,text,int4)",
    "regexp_count(text,text,int4,text)",
)
def regexp_count(text: str, pattern: str, start: int = 1, flags: str = "") -> int:
    check_parameter("start", start, 1)
    cleaned = no_global(flags, "regexp_count")
    return sum(1 for _ in all_matches(compile_are(pattern, cleaned), text, start - 1))


def nth_match(
    text: str, pattern: str, start: int, n: int, flags: str, sub: int, function: str
) -> tuple[Any, int]:
    """(the n-th match or None, the group that is asked for)."""
    check_parameter("start", start, 1)
    check_parameter("n", n, 1)
    check_parameter("subexpr", sub, 0)
    cleaned = no_global(flags, function)
    compiled = compile_are(pattern, cleaned)
    for count, match in enumerate(all_matches(compiled, text, start - 1), 1):
        if count == n:
            return (match if sub <= compiled.groups else None), sub
    return None, sub


@pg_function(
    "regexp_instr(text,text)",
    "regexp_instr(text,text,int4)",
    "regexp_instr(text,text,int4,int4)",
    "regexp_instr(text,text,int4,int4,int4)",
    "regexp_instr(text,text,int4,int4,int4,text)",
    "regexp_instr(text,text,int4,int4,int4,text,int4)",
)
def regexp_instr(
    text: str,
    pattern: str,
    start: int = 1,
    n: int = 1,
    end_option: int = 0,
    flags: str = "",
    sub: int = 0,
) -> int:
    check_parameter("start", start, 1)
    check_parameter("n", n, 1)
    if end_option not in (0, 1):
        raise PgError(
            INVALID_PARAMETER_VALUE, f'invalid value for parameter "endoption": {end_option}'
        )
    match, group = nth_match(text, pattern, start, n, flags, sub, "regexp_instr")
    if match is None or match.start(group) < 0:
        return 0
    return int(match.end(group) if end_option else match.start(group)) + 1


@pg_function(
    "regexp_substr(text,text)",
    "regexp_substr(text,text,int4)",
    "regexp_substr(text,text,int4,int4)",
    "regexp_substr(text,text,int4,int4,text)",
    "regexp_substr(text,text,int4,int4,text,int4)",
)
def regexp_substr(
    text: str, pattern: str, start: int = 1, n: int = 1, flags: str = "", sub: int = 0
) -> str | None:
    match, group = nth_match(text, pattern, start, n, flags, sub, "regexp_substr")
    if match is None:
        return None
    found: str | None = match[group]
    return found


@pg_function("substring(text,text)")
def textregexsubstr(text: str, pattern: str) -> str | None:
    match = compile_are(pattern).search(text)
    if match is None:
        return None
    found: str | None = match[1] if match.re.groups else match[0]
    return found


@pg_function("substring(text,text,text)")
def substring_similar(text: str, pattern: str, escape: str) -> str | None:
    from pgemu.types.like import similar_to_escape

    return textregexsubstr(text, similar_to_escape(pattern, escape))
