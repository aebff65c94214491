"""Run a case against a server and write down every answer, field by field, as stable text.

What differs from server to server is replaced: OIDs of user objects, the name of the case's
database, process ids, numbers of temporary schemas.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pgemu_protocol.backend import (
    CommandComplete,
    CopyInResponse,
    CopyOutResponse,
    DataRow,
    EmptyQueryResponse,
    ErrorResponse,
    NoData,
    NoticeResponse,
    NotificationResponse,
    ParameterDescription,
    ParameterStatus,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
)
from pgemu_protocol.frontend import (
    Bind,
    CopyData,
    CopyDone,
    Describe,
    Execute,
    Flush,
    Parse,
    Query,
    Sync,
)
from pgemu_protocol.message import Message
from tests.regress.case_file import Case, Step
from tests.regress.wire import Address, Wire, WireClosed

FIRST_NORMAL_OID = 16384
OPTIONS = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "application_name": "regress",
}
ERROR_FIELDS = {
    "D": "detail",
    "H": "hint",
    "P": "position",
    "p": "internal position",
    "q": "internal query",
    "W": "context",
    "s": "schema",
    "t": "table",
    "c": "column",
    "d": "datatype",
    "n": "constraint",
}
_TYPES_FILE = Path(__file__).parents[2] / "pgemu" / "catalog" / "data" / "15" / "pg_type.tsv"
_numbers = itertools.count(1)


@cache
def type_names() -> dict[int, str]:
    """OID -> name of every built-in type."""
    found: dict[int, str] = {}
    for line in _TYPES_FILE.read_text(encoding="utf-8").splitlines():
        oid, name = line.split("\t")[:2]
        found[int(oid)] = name
    return found


@contextmanager
def fresh_database(server: Address, prefix: str = "regress") -> Iterator[Address]:
    """A database of its own for the block."""
    name = f"{prefix}_{os.getpid()}_{next(_numbers)}"
    with Wire(server) as control:
        control.ask(f'CREATE DATABASE "{name}"')
        try:
            yield server.to(name)
        finally:
            control.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


def run_case(case: Case, server: Address) -> str:
    """The transcript of a case run in a fresh database."""
    with fresh_database(server) as address:
        run = Transcript(address)
        try:
            for step in case.steps:
                run.step(step)
        finally:
            run.close()
        return run.text(case.rule)


def parameter(value: str | dict[str, str] | None) -> bytes | None:
    """What Bind carries for a value of a case file."""
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return None if value is None else value.encode()


class Transcript:
    """The connections of one case and what came over them."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.wires: dict[str, Wire] = {}
        self.names: dict[int, str] = {}
        self.shown_connection = ""
        self.lines: list[str] = []
        self.oid_columns: set[int] = set()

    def wire(self, name: str) -> Wire:
        if name not in self.wires:
            made = Wire(self.address, options=OPTIONS)
            self.wires[name] = made
            self.names[made.process_id] = name or "main"
        return self.wires[name]

    def close(self) -> None:
        for wire in self.wires.values():
            wire.close()

    def text(self, rule: str) -> str:
        body = "\n".join(self.lines)
        body = body.replace(self.address.database, "<database>")
        body = re.sub(r"pg_(toast_)?temp_\d+", r"pg_\1temp_<n>", body)
        body = re.sub(r"pg_toast_(\d{5,})", "pg_toast_<oid>", body)
        body = re.sub(r"(Key \(\w+typid, \w+\)=\()\d{5,}", r"\1<oid>", body)
        return f"-- {rule}\n{body}\n"

    # -- sending ---------------------------------------------------------------------------------

    def step(self, step: Step) -> None:
        if step.connection != self.shown_connection:
            self.shown_connection = step.connection
            self.lines.append(f"\n-- conn: {step.connection or 'main'}")
        self.lines.append("")
        self.lines += [f"> {line}" for line in step.sql.split("\n")]
        wire = self.wire(step.connection)
        before = wire.status
        try:
            if step.bind is not None:
                self.extended(wire, step)
            else:
                wire.send(Query(step.sql))
                self.answers(wire, step)
        except WireClosed:
            self.lines.append("connection closed")
            del self.wires[step.connection]
            return
        if wire.status != before:
            self.lines.append(f"status: {before} -> {wire.status}")

    def extended(self, wire: Wire, step: Step) -> None:
        assert step.bind is not None
        values = tuple(parameter(value) for value in step.bind)
        codes = tuple(int(isinstance(value, dict)) for value in step.bind)
        shown = ", ".join(
            f"\\x{v.hex()}" if code and v is not None else self.show(v)
            for v, code in zip(values, codes, strict=True)
        )
        self.lines.append(f"bind: [{shown}]")
        formats = (1,) if step.binary else ()
        wire.send(
            Parse("", step.sql, tuple(step.types)),
            Describe(b"S", ""),
            Bind("", "", codes if any(codes) else (), values, formats),
            Describe(b"P", ""),
            Execute("", step.max_rows),
        )
        if step.max_rows:
            self.suspended(wire, step)
        wire.send(Sync())
        self.answers(wire, step)

    def suspended(self, wire: Wire, step: Step) -> None:
        """Fetch in portions: Execute again after each PortalSuspended."""
        wire.send(Flush())
        while True:
            message = wire.receive()
            self.answer(wire, message, step)
            if isinstance(message, PortalSuspended):
                wire.send(Execute("", step.max_rows), Flush())
            elif isinstance(message, ErrorResponse | CommandComplete | EmptyQueryResponse):
                return

    def answers(self, wire: Wire, step: Step) -> None:
        while True:
            message = wire.receive()
            self.answer(wire, message, step)
            if isinstance(message, ReadyForQuery):
                wire.status = message.status.decode()
                return

    # -- writing down ----------------------------------------------------------------------------

    def answer(self, wire: Wire, message: Message, step: Step) -> None:
        match message:
            case RowDescription():
                self.columns(message)
            case DataRow(values=values):
                shown = [self.value(i, v, step.binary) for i, v in enumerate(values)]
                self.lines.append("row: " + " | ".join(shown))
            case CommandComplete(tag=tag):
                self.lines.append(f"tag: {tag}")
            case EmptyQueryResponse():
                self.lines.append("empty query")
            case PortalSuspended():
                self.lines.append("suspended")
            case NoData():
                self.lines.append("no columns")
            case ParameterDescription(types=types):
                named = ", ".join(self.type_name(oid) for oid in types)
                self.lines.append(f"parameters: {named}")
            case ErrorResponse(fields=fields):
                self.report("error", fields)
            case NoticeResponse(fields=fields):
                self.report("notice", fields)
            case ParameterStatus(name=name, value=value):
                self.lines.append(f"reports: {name}={value}")
            case NotificationResponse(process_id=pid, channel=channel, payload_text=payload):
                sender = self.names.get(pid, "another")
                self.lines.append(f"notification: {channel} {payload!r} from {sender}")
            case CopyInResponse(format=form, column_formats=formats):
                self.lines.append(f"copy in: format {form}, columns {list(formats)}")
                data = (step.copy_data or "").encode()
                wire.send(*([CopyData(data)] if data else []), CopyDone())
            case CopyOutResponse(format=form, column_formats=formats):
                self.lines.append(f"copy out: format {form}, columns {list(formats)}")
            case CopyData(data=data):
                self.lines.append("data: " + self.escape(data.decode("utf-8", "backslashreplace")))
            case _:
                pass  # ParseComplete, BindComplete, CopyDone, ReadyForQuery: nothing to show

    def columns(self, message: RowDescription) -> None:
        self.oid_columns = {i for i, f in enumerate(message.fields) if f.type_oid == 26}
        shown = []
        for found in message.fields:
            words = f"{self.escape(found.name)} {self.type_name(found.type_oid)}"
            if found.type_modifier != -1:
                words += f"/{found.type_modifier}"
            if found.table_oid:
                words += f" @{found.column}"
            shown.append(words)
        self.lines.append("columns: " + " | ".join(shown))

    def report(self, kind: str, fields: tuple[tuple[bytes, str], ...]) -> None:
        named = {key.decode(): value for key, value in fields}
        if named.get("V") != named.get("S"):
            self.lines.append(f"severity: {named.get('S')} / {named.get('V')}")
        self.lines.append(f"{kind}: {named['S']} {named['C']} {self.escape(named['M'])}")
        for key, word in ERROR_FIELDS.items():
            if key in named:
                self.lines.append(f"  {word}: {self.escape(named[key])}")

    def type_name(self, oid: int) -> str:
        return "user-defined" if oid >= FIRST_NORMAL_OID else type_names().get(oid, str(oid))

    def value(self, column: int, value: bytes | None, binary: bool) -> str:
        if value is not None and binary:
            return value.hex() or "''"
        if column in self.oid_columns and value and int(value) >= FIRST_NORMAL_OID:
            return "<oid>"
        return self.show(value)

    def show(self, value: bytes | None) -> str:
        return "NULL" if value is None else self.escape(value.decode("utf-8")) or "''"

    @staticmethod
    def escape(text: str) -> str:
        for char, written in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("|", "\\|")):
            text = text.replace(char, written)
        return text
