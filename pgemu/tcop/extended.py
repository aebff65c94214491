"""The extended query protocol: Parse, Bind, Describe, Execute, Close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pgemu.errors import (
    DUPLICATE_CURSOR,
    DUPLICATE_PSTATEMENT,
    INVALID_PARAMETER_VALUE,
    PROTOCOL_VIOLATION,
    SYNTAX_ERROR,
    UNDEFINED_CURSOR,
    UNDEFINED_PSTATEMENT,
    PgError,
)
from pgemu.executor.execute import Result, bind, run_plan, select_rows
from pgemu.executor.locking import lock_for_plan
from pgemu.nodes.primnodes import Value
from pgemu.tcop.dest import describe, encoders, send_rows
from pgemu.tcop.prepared import Portal, PreparedStatement
from pgemu.types.domains import DomainType
from pgemu.types.integers import IntegerType
from pgemu.types.pqformat import LeftOver, invalid_utf8
from pgemu_protocol.hot import (
    command_complete,
    decode_bind,
    decode_close,
    decode_describe,
    decode_execute,
    decode_parse,
    parameter_description,
)

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend

PARSE_COMPLETE = b"1\x00\x00\x00\x04"
BIND_COMPLETE = b"2\x00\x00\x00\x04"
CLOSE_COMPLETE = b"3\x00\x00\x00\x04"
NO_DATA = b"n\x00\x00\x00\x04"
PORTAL_SUSPENDED = b"s\x00\x00\x00\x04"
EMPTY_QUERY = b"I\x00\x00\x00\x04"


class ExtendedQuery:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.session: Any = backend.session

    # -- Parse -------------------------------------------------------------------------------------

    def parse(self, payload: bytes) -> None:
        session, backend = self.session, self.backend
        name, text, types = decode_parse(payload, session.client_codec)
        backend.report_query(text)
        session.start_statement()
        if name and name in session.prepared_statements:
            raise PgError(DUPLICATE_PSTATEMENT, f'prepared statement "{name}" already exists')
        if not name:
            session.unnamed = None
        self._start_transaction()
        statement = session.prepare_text(name, text, list(types))
        if name:
            session.prepared_statements[name] = statement
        else:
            session.unnamed = statement
        backend.connection.write(PARSE_COMPLETE)

    def _start_transaction(self, executes: int = 1) -> None:
        """Everything up to Sync is one transaction, unless this message is the only one before
        it: then the statement is a transaction by itself, which is cheaper."""
        session = self.session
        if session.xact.state == "idle" and (
            session.xact.current.isolation == "serializable"
            or not self.backend.connection.sync_follows(executes)
        ):
            session.begin_implicit(pipeline=True)

    def _statement(self, name: str) -> PreparedStatement:
        session = self.session
        found: PreparedStatement | None = (
            session.prepared_statements.get(name) if name else session.unnamed
        )
        if found is None:
            what = f'prepared statement "{name}"' if name else "unnamed prepared statement"
            raise PgError(UNDEFINED_PSTATEMENT, f"{what} does not exist")
        return found

    # -- Bind --------------------------------------------------------------------------------------

    def bind(self, payload: bytes) -> None:
        session = self.session
        portal_name, name, formats, raw_params, results = decode_bind(payload, session.client_codec)
        statement = self._statement(name)
        self.backend.statement_text = session.source_text = statement.text
        session.start_statement()
        if session.xact.failed:
            from pgemu.tcop.postgres import check_failed_transaction

            check_failed_transaction(session, statement.raw)
        if len(raw_params) != len(statement.param_types):
            raise PgError(
                PROTOCOL_VIOLATION,
                f"bind message supplies {len(raw_params)} parameters, but prepared statement "
                f'"{name}" requires {len(statement.param_types)}',
            )
        if raw_params and statement.version != session.plan_version():
            statement.decoders.clear()  # a type may have changed or gone
            statement.domain_params.clear()
        params = self.decode_params(statement, formats, raw_params)
        if portal_name and portal_name in session.portals:
            raise PgError(DUPLICATE_CURSOR, f'cursor "{portal_name}" already exists')
        columns = statement.columns
        if columns is not None and len(results) > 1 and len(results) != len(columns):
            raise PgError(
                PROTOCOL_VIOLATION,
                f"bind message has {len(results)} result formats but query has "
                f"{len(columns)} columns",
            )
        session.portals[portal_name] = Portal(
            portal_name,
            statement,
            params,
            results,
            statement.columns,
            text=statement.text,
            creation_time_us=session.ctx.statement_start_us,
        )
        self.backend.connection.write(BIND_COMPLETE)

    def decode_params(
        self,
        statement: PreparedStatement,
        formats: tuple[int, ...],
        raw_params: Sequence[bytes | None],
    ) -> list[Value]:
        if not raw_params:
            return []
        decoders = statement.decoders.get(formats)
        if decoders is None:
            decoders = statement.decoders[formats] = self._decoders(statement, formats)
        params: list[Value] = []
        for number, (data, decode) in enumerate(zip(raw_params, decoders, strict=True), 1):
            if data is None and not statement.domain_params:
                params.append(None)
                continue
            try:
                if data is None:
                    params.append(self._null(statement, number))
                else:
                    params.append(decode(data))
            except PgError as error:
                failed, shown = error, ""
                if isinstance(error, LeftOver):
                    failed = error.said(f"incorrect binary data format in bind parameter {number}")
                if data is not None and _is_text(formats, number):
                    shown = f" = {self._quoted(str(data, self.session.client_codec, 'replace'))}"
                failed.add_context(f"unnamed portal parameter ${number}{shown}")
                raise failed from None
            except UnicodeDecodeError as error:
                raise invalid_utf8(data or b"", error.start) from None
        return params

    def _null(self, statement: PreparedStatement, number: int) -> Value:
        """NULL for a parameter whose type may be a domain that does not allow it."""
        io = statement.domain_params.get(number)
        return None if io is None else io.check(None, self.session.ctx)

    def _quoted(self, text: str) -> str:
        """A parameter as the log may show it (appendStringInfoStringQuoted)."""
        limit = self.session.guc.value("log_parameter_max_length_on_error")
        end = ""
        if 0 <= limit < len(text):
            text, end = text[:limit], "..."
        quoted = text.replace("'", "''")
        return f"'{quoted}{end}'"

    def _decoders(self, statement: PreparedStatement, formats: tuple[int, ...]) -> list[Any]:
        session = self.session
        found = []
        for number, type_oid in enumerate(statement.param_types, 1):
            io = session.catalog.types.element_io(type_oid)
            if isinstance(io, DomainType):
                statement.domain_params[number] = io
            if _is_text(formats, number):
                found.append(_text_decoder(io, session))
            else:
                found.append(lambda data, io=io: io.recv(bytes(data), -1, session.ctx))
        return found

    # -- Describe ----------------------------------------------------------------------------------

    def describe(self, payload: bytes) -> None:
        session = self.session
        write = self.backend.connection.write
        kind, name = decode_describe(payload, session.client_codec)
        if kind == "S":
            statement = self._statement(name)
            session.start_statement()
            self._start_transaction()
            session.revalidate(statement)
            write(parameter_description(statement.param_types))
            self._describe_columns(statement, statement.columns, ())
            return
        if kind != "P":
            raise PgError(PROTOCOL_VIOLATION, f"invalid DESCRIBE message subtype {ord(kind)}")
        portal = self._portal(name)
        self._describe_columns(portal.statement, portal.columns, tuple(portal.formats))

    def _describe_columns(
        self, statement: PreparedStatement, columns: Any, formats: tuple[int, ...]
    ) -> None:
        write = self.backend.connection.write
        if columns is None:
            write(NO_DATA)
            return
        known = statement.descriptions.get(formats) if columns is statement.columns else None
        if known is None:
            known = describe(self.session, columns, formats)
            if columns is statement.columns:
                statement.descriptions[formats] = known
        write(known)

    def _portal(self, name: str) -> Portal:
        portal: Portal | None = self.session.portals.get(name)
        if portal is None:
            if self.session.xact.failed:
                from pgemu.tcop.postgres import check_failed_transaction

                check_failed_transaction(self.session, None)
            raise PgError(UNDEFINED_CURSOR, f'portal "{name}" does not exist')
        return portal

    # -- Execute -----------------------------------------------------------------------------------

    def execute(self, payload: bytes) -> None:
        session, backend = self.session, self.backend
        name, max_rows = decode_execute(payload, session.client_codec)
        portal = self._portal(name)
        statement = portal.statement
        write = backend.connection.write
        if statement.query is None and not portal.is_cursor:
            write(EMPTY_QUERY)
            return
        backend.report_query(portal.text)
        if not portal.started:
            self._start(name, portal)
        if portal.columns is None or (portal.rows is None and portal.spool is None):
            if session.notices:
                backend.send_notices()
            write(command_complete(portal.tag))
            portal.done = True
            return
        self._send(portal, max_rows)

    def _start(self, name: str, portal: Portal) -> None:
        """Run the statement, or open it if it is a plain SELECT."""
        session = self.session
        for other in session.portals.values():
            if other is not portal:
                other.drain()
        statement = portal.statement
        if session.xact.failed:
            from pgemu.tcop.postgres import check_failed_transaction

            check_failed_transaction(session, statement.raw)
        self._start_transaction(executes=0)
        portal.started = True
        plan = session.plan_for(statement, portal.params)
        while plan is not None and not lock_for_plan(session, plan):
            session.accept_invalidations()
            plan = session.plan_for(statement, portal.params)
        session.current_params = portal.params
        if plan is None:
            result: Result = session.run(statement.query, portal.params)
            self._finish(portal, result)
            return
        bindings = bind(plan, portal.params)
        if plan.command_type == "select" and not (plan.row_marks or plan.steps or plan.may_write):
            portal.rows = select_rows(session, plan, bindings)
            return
        self._finish(portal, run_plan(session, plan, bindings))

    def _finish(self, portal: Portal, result: Result) -> None:
        portal.tag = result.tag
        if result.columns is not None:
            portal.columns = result.columns
            portal.spool = list(result.rows or ())

    def _send(self, portal: Portal, max_rows: int) -> None:
        session, backend = self.session, self.backend
        write = backend.connection.write
        assert portal.columns is not None
        formats = tuple(portal.formats)
        encode = self._encoders(portal, formats)
        if max_rows <= 0:
            count = send_rows(write, _remaining(portal, None), encode)
            portal.position += count
            if portal.spool is None:
                portal.rows = iter(())
            portal.done = True
        else:
            batch = list(_remaining(portal, max_rows))
            count = send_rows(write, batch, encode)
            if count == max_rows:
                write(PORTAL_SUSPENDED)
                portal.position += count
                if session.xact.state == "idle":
                    portal.drain()
                return
            portal.position += count
            portal.done = True
        if session.notices:
            backend.send_notices()
        verb, _, number = portal.tag.rpartition(" ")
        # of what RETURNING gives, the rows of the last Execute count
        tag = f"{verb} {count}" if number.isdigit() else portal.tag or f"SELECT {count}"
        write(command_complete(tag))

    def _encoders(self, portal: Portal, formats: tuple[int, ...]) -> Any:
        session, statement = self.session, portal.statement
        assert portal.columns is not None
        if portal.columns is not statement.columns:
            return encoders(session, portal.columns, formats)
        if statement.epoch != session.guc.epoch:
            statement.encoders.clear()
        known = statement.encoders.get(formats)
        if known is None:
            known = statement.encoders[formats] = encoders(session, portal.columns, formats)
        return known

    # -- Close -------------------------------------------------------------------------------------

    def close(self, payload: bytes) -> None:
        session = self.session
        kind, name = decode_close(payload, session.client_codec)
        if kind == "S":
            if name:
                session.prepared_statements.pop(name, None)
            else:
                session.unnamed = None
        elif kind == "P":
            session.portals.pop(name, None)
        else:
            raise PgError(PROTOCOL_VIOLATION, f"invalid CLOSE message subtype {ord(kind)}")
        self.backend.connection.write(CLOSE_COMPLETE)


def _remaining(portal: Portal, limit: int | None) -> Iterator[Any]:
    """The rows that were not delivered yet, up to the limit."""
    if portal.spool is None:
        return islice(portal.rows or (), limit)
    start = portal.position
    return islice(portal.spool, start, None if limit is None else start + limit)


def _is_text(formats: tuple[int, ...], number: int) -> bool:
    if not formats:
        return True
    code = formats[0] if len(formats) == 1 else formats[number - 1]
    if code not in (0, 1):
        raise PgError(INVALID_PARAMETER_VALUE, f"unsupported format code: {code}")
    return code == 0


def _text_decoder(io: Any, session: Any) -> Any:
    decode = _decoder_of_text(io, session)
    return _integer_decoder(io, decode) if isinstance(io, IntegerType) else decode


def _integer_decoder(io: IntegerType, decode: Any) -> Any:
    """The same for the digits alone of a number that is surely small enough."""
    limit = len(str(io.maximum))

    def quickly(data: bytes) -> Any:
        return int(data) if len(data) < limit and data.isdigit() else decode(data)

    return quickly


def _decoder_of_text(io: Any, session: Any) -> Any:
    read, ctx = io.input, session.ctx
    if session.client_codec == "utf-8":
        if io.name in ("text", "varchar") and not isinstance(io, DomainType):
            return lambda data: _checked_text(str(data, "utf-8"))
        return lambda data: read(str(data, "utf-8"), -1, ctx)
    codec = session.client_codec
    return lambda data: read(str(data, codec), -1, ctx)


def _checked_text(text: str) -> str:
    if "\0" in text:
        raise PgError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


__all__ = ["SYNTAX_ERROR", "ExtendedQuery"]
