"""Print a result as libpq's PQprint does with header, alignment and `|` between columns."""

from __future__ import annotations

from pgemu_protocol.backend import DataRow, RowDescription

NUMERIC = frozenset("0123456789.Ee -")


def looks_numeric(value: str) -> bool:
    """A column is aligned right while all of its non-empty values look like numbers."""
    return (
        all(char in NUMERIC for char in value)
        and value[0] not in "Ee"
        and value[-1] in "0123456789"
    )


def print_result(columns: RowDescription, rows: list[DataRow]) -> str:
    names = [field.name for field in columns.fields]
    if not names:
        return ""
    table = [["" if v is None else v.decode() for v in row.values] for row in rows]
    numeric = [all(looks_numeric(row[i]) for row in table if row[i]) for i in range(len(names))]
    widths = [max([size(name), *[size(row[i]) for row in table]]) for i, name in enumerate(names)]
    lines = [names, *table]
    shown = ["|".join(map(pad, line, widths, numeric)) for line in lines]
    shown.insert(1, "+".join("-" * width for width in widths))
    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    return "\n".join([*shown, count, "", ""])


def size(text: str) -> int:
    """In bytes, as printf counts."""
    return len(text.encode())


def pad(text: str, width: int, right: bool) -> str:
    gap = " " * (width - size(text))
    return gap + text if right else text + gap
