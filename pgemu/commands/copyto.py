"""COPY TO: rows out as text, CSV or binary (PostgreSQL's copyto.c).

Rows are taken from SQLite in batches.  A batch of text is joined first and then searched once for
characters that would have needed escaping: only if there are any is it done again value by value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from pgemu.catalog.rows import PgAttribute
from pgemu.commands.copy_columns import text_writer
from pgemu.commands.copy_options import CopyFormatOptions
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    UNTRANSLATABLE_CHARACTER,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.execute import bind, run_plan, select_rows
from pgemu.executor.session import query_literals
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.planner.plan import OutputColumn, Plan
from pgemu.planner.planner import plan_query
from pgemu.rewrite.rewrite_handler import query_rewrite

Row = tuple[Any, ...]
BATCH = 2000
SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_HINT = "Try the COPY (SELECT ...) TO variant."


def copy_relation_to(
    session: Any,
    relation: Any,
    columns: Sequence[PgAttribute],
    options: CopyFormatOptions,
    stmt: dict[str, Any],
    *,
    secured: bool,
) -> CommandResult:
    """COPY table TO.  secured: row security applies, so a query reads the table."""
    _check_kind(relation)
    outputs = [OutputColumn(a.attname, a.atttypid, a.atttypmod) for a in columns]
    if secured or relation.relkind == "m" or not columns:
        rows = _secured_rows(session, relation, columns)
    else:
        names = ", ".join(f"t.c{a.attnum}" for a in columns)
        plan = Plan(
            "select",
            f"SELECT {names} FROM {relation.sqlite_name} AS t",
            columns=tuple(outputs),
            relations=((relation.oid, relation.sqlite_name, len(relation.attrs)),),
        )
        rows = select_rows(session, plan, ())
    return _send(session, outputs, rows, options, stmt)


def _check_kind(relation: Any) -> None:
    kinds = {
        "v": ("view", _HINT),
        "m": ("materialized view", _HINT),
        "f": ("foreign table", _HINT),
        "S": ("sequence", None),
        "p": ("partitioned table", _HINT),
    }
    if relation.relkind == "r":
        return
    word, hint = kinds.get(relation.relkind, ("non-table relation", None))
    raise PgError(WRONG_OBJECT_TYPE, f'cannot copy from {word} "{relation.name}"', hint=hint)


def _secured_rows(session: Any, relation: Any, columns: Sequence[PgAttribute]) -> Iterable[Row]:
    from pgemu.commands.define import quote_identifier as quote

    names = ", ".join(quote(a.attname) for a in columns)
    text = f"SELECT {names} FROM ONLY {quote(relation.schema_name)}.{quote(relation.name)}"
    query = session.analyze(session.parse(text)[0], text)
    plan = session.plan(query)
    return select_rows(session, plan, bind(plan, ()))


def copy_query_to(
    session: Any, stmt: dict[str, Any], options: CopyFormatOptions, st: Statement
) -> CommandResult:
    """COPY (query) TO."""
    raw = stmt["query"]
    tag, body = next(iter(raw.items()))
    if tag == "SelectStmt" and body.get("intoClause") is not None:
        raise PgError(FEATURE_NOT_SUPPORTED, "COPY (SELECT INTO) is not supported")
    if tag == "MergeStmt":
        raise PgError(FEATURE_NOT_SUPPORTED, "MERGE not supported in COPY")
    query: Query = session.analyze(RawStmt(raw), st.source_text)
    if query.command_type == "utility":
        raise PgError(FEATURE_NOT_SUPPORTED, "COPY (SELECT INTO) is not supported")
    rewritten = query_rewrite(query, session.catalog)
    _check_rewritten(rewritten)
    if rewritten[0].command_type != "select" and not rewritten[0].returning_list:
        raise PgError(FEATURE_NOT_SUPPORTED, "COPY query must have a RETURNING clause")
    plan = plan_query(rewritten[0], session.catalog, session.udfs, query_literals(query))
    outputs = list(plan.columns)
    _resolve_forced(outputs, options)
    plain = plan.command_type == "select" and not plan.steps and not plan.row_marks
    if plain:
        rows: Iterable[Row] = select_rows(session, plan, bind(plan, ()))
    else:
        rows = run_plan(session, plan, bind(plan, ())).rows or ()
    return _send(session, outputs, rows, options, stmt)


_RULES = {
    "qual_instead_rule": "conditional DO INSTEAD rules",
    "non_instead_rule": "DO ALSO rules",
}


def _check_rewritten(queries: Sequence[Query]) -> None:
    """Rules must make one query of the one (BeginCopyTo)."""
    if len(queries) == 1:
        if queries[0].command_type == "utility":
            raise PgError(FEATURE_NOT_SUPPORTED, "COPY query must not be a utility command")
        return
    what = "multi-statement DO INSTEAD rules" if queries else "DO INSTEAD NOTHING rules"
    what = next((_RULES[q.query_source] for q in queries if q.query_source in _RULES), what)
    raise PgError(FEATURE_NOT_SUPPORTED, f"{what} are not supported for COPY")


def _resolve_forced(outputs: Sequence[OutputColumn], options: CopyFormatOptions) -> None:
    names = [o.name for o in outputs]
    if options.force_quote_all:
        options.forced["FORCE_QUOTE"] = frozenset(range(len(names)))
        return
    for name in options.force_quote:
        if name not in names:
            raise PgError("42703", f'column "{name}" does not exist')
    options.forced["FORCE_QUOTE"] = frozenset(names.index(n) for n in options.force_quote)


def _send(
    session: Any,
    outputs: Sequence[OutputColumn],
    rows: Iterable[Row],
    options: CopyFormatOptions,
    stmt: dict[str, Any],
) -> CommandResult:
    chunks = _format(session, outputs, rows, options)
    if stmt.get("filename") is not None:
        return CommandResult(f"COPY {_to_file(stmt['filename'], chunks)}")
    client = session.client
    form = int(options.binary)
    client.begin_copy_out(form, [form] * len(outputs))
    many = getattr(client, "send_copy_rows", None)
    count = 0
    for number, messages in chunks:
        count += number
        if many is not None:
            many(messages)
            continue
        for message in messages:
            client.send_copy_data(message)
    client.end_copy_out()
    return CommandResult(f"COPY {count}")


def _to_file(filename: str, chunks: Iterator[tuple[int, list[bytes]]]) -> int:
    from pgemu.commands.copy import open_server_file

    count = 0
    with open_server_file(filename, write=True) as file:
        for number, messages in chunks:
            count += number
            file.write(b"".join(messages))
    return count


def _format(
    session: Any,
    outputs: Sequence[OutputColumn],
    rows: Iterable[Row],
    options: CopyFormatOptions,
) -> Iterator[tuple[int, list[bytes]]]:
    """(number of rows, messages) per batch; the header and the trailer count no rows."""
    if not outputs:
        # SQLite's rows have a column even if the table has none
        rows = (() for _ in rows)
    if options.binary:
        yield from _binary(session, outputs, rows)
        return
    codec = options.encoding or getattr(session, "client_codec", "utf-8")
    writers = [text_writer(session, c.type_oid, c.typmod) for c in outputs]
    line = _csv_line(options, len(outputs)) if options.csv else _text_line(options)
    if options.header:
        names = [c.name for c in outputs]
        forced = options.forced.get("FORCE_QUOTE", frozenset())
        options.forced["FORCE_QUOTE"] = frozenset()
        text = (_csv_line(options, len(outputs)) if options.csv else line)(names) + "\n"
        options.forced["FORCE_QUOTE"] = forced
        yield 0, [_encode(text, codec, session)]
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield len(batch), _text_batch(batch, writers, line, options, codec, session)


def _text_batch(
    batch: list[Row],
    writers: Sequence[Callable[[Any], str] | None],
    line: Callable[[Sequence[str | None]], str],
    options: CopyFormatOptions,
    codec: str,
    session: Any,
) -> list[bytes]:
    if not writers:  # a row without columns
        return [b"\n"] * len(batch)
    columns: list[list[str | None]] = []
    for values, write in zip(zip(*batch, strict=True), writers, strict=True):
        if write is None:
            columns.append(list(values))
        else:
            columns.append([None if v is None else write(v) for v in values])
    fast = None
    if not options.forced.get("FORCE_QUOTE"):
        fast = _unescaped(columns, len(batch), options)
    if fast is not None and codec == "utf-8":
        return fast.encode().splitlines(keepends=True)  # of bytes: no other line ends than these
    if fast is not None:
        lines = [one + "\n" for one in fast[:-1].split("\n")]
    else:
        lines = [line(r) + "\n" for r in zip(*columns, strict=True)]
    try:
        return [one.encode(codec) for one in lines]
    except UnicodeEncodeError:
        return [_encode(one, codec, session) for one in lines]


def _unescaped(
    columns: list[list[str | None]], count: int, options: CopyFormatOptions
) -> str | None:
    """The lines as they are, in one text; None if some value needs escapes or quotes."""
    nulls = sum(c.count(None) for c in columns)
    if options.csv and any(options.null in c for c in columns):
        return None
    if nulls:
        null = options.null
        columns = [[null if v is None else v for v in c] if None in c else c for c in columns]
    delim = options.delim
    lines = list(map(delim.join, zip(*columns, strict=True)))
    text = "\n".join(lines)
    specials = options.null * nulls
    if (
        text.count(delim) != (len(columns) - 1) * count + specials.count(delim)
        or text.count("\n") != count - 1
        or "\r" in text
    ):
        return None
    if options.csv:
        if options.quote in text or "\\." in text:
            return None
    elif text.count("\\") != specials.count("\\") or "\b" in text or "\f" in text or "\v" in text:
        return None
    return text + "\n"


_ESCAPES = {
    ord("\\"): "\\\\", ord("\b"): "\\b", ord("\f"): "\\f", ord("\n"): "\\n", ord("\r"): "\\r",
    ord("\t"): "\\t", ord("\v"): "\\v",
}  # fmt: skip


def _text_line(options: CopyFormatOptions) -> Callable[[Sequence[str | None]], str]:
    """CopyAttributeOutText for all columns of a row."""
    table = dict(_ESCAPES)
    delim, null = options.delim, options.null
    if delim != "\t":
        table[ord(delim)] = "\\" + delim
    return lambda values: delim.join([null if v is None else v.translate(table) for v in values])


def _csv_line(options: CopyFormatOptions, width: int) -> Callable[[Sequence[str | None]], str]:
    """CopyAttributeOutCSV for all columns of a row."""
    delim, null, quote, escape = options.delim, options.null, options.quote, options.escape
    forced = options.forced.get("FORCE_QUOTE", frozenset())
    single = width == 1

    def field(number: int, value: str | None) -> str:
        if value is None:
            return null
        needs = (
            number in forced
            or value == null
            or delim in value
            or quote in value
            or "\n" in value
            or "\r" in value
            or (single and value == "\\.")
        )
        if not needs:
            return value
        if escape != quote:
            value = value.replace(escape, escape * 2)
        return quote + value.replace(quote, escape + quote) + quote

    return lambda values: delim.join([field(n, v) for n, v in enumerate(values)])


def _encode(text: str, codec: str, session: Any) -> bytes:
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        shown = " ".join(f"0x{b:02x}" for b in text[error.start].encode())
        raise PgError(
            UNTRANSLATABLE_CHARACTER,
            f'character with byte sequence {shown} in encoding "UTF8" has no equivalent in '
            f'encoding "{session.ctx.client_encoding}"',
        ) from None


def _binary(
    session: Any, outputs: Sequence[OutputColumn], rows: Iterable[Row]
) -> Iterator[tuple[int, list[bytes]]]:
    encoders = [session.catalog.types.io(c.type_oid).binary_encoder(session.ctx) for c in outputs]
    head = struct.pack(">h", len(outputs))
    size = struct.Struct(">i").pack
    null = size(-1)
    before = SIGNATURE + bytes(8)  # goes out with the first row, as libpq's readers expect
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        messages = []
        for row in batch:
            parts = [before, head]
            before = b""
            for value, encode in zip(row, encoders, strict=True):
                if value is None:
                    parts.append(null)
                else:
                    data = encode(value)
                    parts.append(size(len(data)))
                    parts.append(data)
            messages.append(b"".join(parts))
        yield len(batch), messages
    yield 0, [before + struct.pack(">h", -1)]
