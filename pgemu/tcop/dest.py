"""Rows out: from storage values to DataRow messages (PostgreSQL's printtup.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from pgemu.errors import PgError
from pgemu.planner.plan import OutputColumn
from pgemu.types.integers import encode_integer
from pgemu_protocol.hot import data_row, data_rows, data_rows_of_columns, row_description

Encoder = Callable[[Any], bytes]
VARHDRSZ = 4
BATCH = 1000  # rows that are encoded in one piece
FEW = 16  # rows that are better encoded one by one
BPCHAROID = 1042


def describe(session: Any, columns: Sequence[OutputColumn], formats: Sequence[int]) -> bytes:
    """RowDescription."""
    catalog = session.catalog
    fields = []
    for number, column in enumerate(columns):
        row = catalog.types.row(column.type_oid)
        base, typmod = column.type_oid, column.typmod
        if row.typtype == "d":
            # the wire shows a domain as its base type
            base = catalog.types.base_type(column.type_oid)
            while row.typtype == "d":
                typmod = row.typtypmod if typmod == -1 else typmod
                row = catalog.types.row(row.typbasetype)
        fields.append(
            (
                column.name,
                column.table_oid,
                column.attnum,
                base,
                row.typlen,
                typmod,
                format_of(formats, number),
            )
        )
    return row_description(fields, session.client_codec)


def format_of(formats: Sequence[int], number: int) -> int:
    """The result format of one column: none given: text; one: for all."""
    if not formats:
        return 0
    return formats[0] if len(formats) == 1 else formats[number]


def encoders(
    session: Any, columns: Sequence[OutputColumn], formats: Sequence[int]
) -> list[Encoder]:
    """One function per column from storage value to wire bytes."""
    ctx = session.ctx
    found: list[Encoder] = []
    for number, column in enumerate(columns):
        io = session.catalog.types.io(column.type_oid)
        binary = format_of(formats, number)
        if binary not in (0, 1):
            raise PgError("22023", f"unsupported format code: {binary}")
        encode = io.binary_encoder(ctx) if binary else io.text_encoder(ctx)
        if io.name == "bpchar" and column.typmod > VARHDRSZ:
            encode = _padded(column.typmod - VARHDRSZ, session.client_codec)
        elif session.client_codec != "utf-8" and not binary:
            encode = _recoded(encode, session)
        found.append(encode)
    return found


def _padded(width: int, codec: str) -> Encoder:
    return lambda value: str(value).ljust(width).encode(codec)


def _recoded(encode: Encoder, session: Any) -> Encoder:
    codec = session.client_codec

    def call(value: Any) -> bytes:
        text = encode(value).decode()
        try:
            return text.encode(codec)
        except UnicodeEncodeError as error:
            bad = text[error.start].encode()
            shown = " ".join(f"0x{b:02x}" for b in bad)
            raise PgError(
                "22P05",
                f'character with byte sequence {shown} in encoding "UTF8" has no equivalent '
                f'in encoding "{session.ctx.client_encoding}"',
            ) from None

    return call


def send_cursor(write: Callable[[bytes], None], cursor: Any, encode: Sequence[Encoder]) -> int:
    """The same for the rows of a SQLite cursor, which ends with them."""
    count = 0
    try:
        while True:
            rows = list(islice(cursor, BATCH))
            count += send_rows(write, rows, encode)
            if len(rows) < BATCH:
                return count
    finally:
        cursor.close()


def send_rows(
    write: Callable[[bytes], None], rows: Iterable[Sequence[Any]], encode: Sequence[Encoder]
) -> int:
    """DataRow for every row; how many there were."""
    if isinstance(rows, list):
        if len(rows) < FEW or not encode:
            _send_few(write, rows, encode)
        else:
            for start in range(0, len(rows), BATCH):
                _send_batch(write, rows[start : start + BATCH], encode)
        return len(rows)
    count = 0
    iterator = iter(rows)
    for row in iterator:
        write(data_row([None if v is None else e(v) for v, e in zip(row, encode, strict=False)]))
        count += 1
        if count == FEW and encode:
            break
    else:
        return count
    more = True
    while more:
        batch: list[Sequence[Any]] = []
        try:
            batch.extend(islice(iterator, BATCH))
        finally:  # what came before an error is sent before it
            if batch:
                _send_batch(write, batch, encode)
        count += len(batch)
        more = len(batch) == BATCH
    return count


def _send_few(
    write: Callable[[bytes], None], rows: list[Sequence[Any]], encode: Sequence[Encoder]
) -> None:
    if len(encode) == 1:
        only = encode[0]
        for (value,) in rows:
            write(data_row((None if value is None else only(value),)))
    elif rows:
        write(
            data_rows(
                [
                    [None if v is None else e(v) for v, e in zip(row, encode, strict=False)]
                    for row in rows
                ]
            )
        )


def _send_batch(
    write: Callable[[bytes], None], rows: list[Sequence[Any]], encode: Sequence[Encoder]
) -> None:
    columns = zip(*rows, strict=True)
    write(data_rows_of_columns([_encoded(c, e) for c, e in zip(columns, encode, strict=False)]))


def _encoded(values: tuple[Any, ...], encode: Encoder) -> list[bytes | None]:
    """A column's values in wire format, by loops in C for the most usual types."""
    try:
        if encode is str.encode:
            return list(map(str.encode, values))
        if encode is encode_integer:
            return (b"%d " * len(values) % values).split()  # type: ignore[return-value]
        of_column = getattr(encode, "of_column", None)
        if of_column is not None:
            return of_column(values)  # type: ignore[no-any-return]
    except TypeError:  # NULLs
        pass
    return [None if value is None else encode(value) for value in values]
