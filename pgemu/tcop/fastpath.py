"""The FunctionCall message (PostgreSQL's fastpath.c): one function, without SQL.

The call becomes `SELECT function($1, ...)`, so permissions, strictness and types are those of SQL.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgNamespace, PgProc
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    PROTOCOL_VIOLATION,
    UNDEFINED_FUNCTION,
    PgError,
)
from pgemu.nodes.primnodes import Value
from pgemu.types.pqformat import LeftOver
from pgemu_protocol.hot import decode_function_call

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend


def handle_function_request(backend: Backend, payload: bytes) -> None:
    """Run the function and send FunctionCallResponse (HandleFunctionRequest)."""
    session: Any = backend.session
    oid, formats, raw, result_format = decode_function_call(payload)
    if session.xact.failed:
        from pgemu.tcop.postgres import check_failed_transaction

        check_failed_transaction(session, None)
    backend.report_query("<FASTPATH> function call")
    session.start_statement()
    session.drain_portals()
    session.xact.write_held()
    row = session.catalog.one(PgProc, oid=oid)
    if row is None:
        raise PgError(UNDEFINED_FUNCTION, f"function with OID {oid} does not exist")
    if row.prokind != "f" or row.proretset:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'cannot call function "{row.proname}" via fastpath interface'
        )
    params = _arguments(session, row, formats, raw)
    schema = session.catalog.one(PgNamespace, oid=row.pronamespace).nspname
    places = ", ".join(f"${number}" for number in range(1, len(params) + 1))
    text = f"select {_quoted(schema)}.{_quoted(row.proname)}({places})"
    ((value,),) = session.query(text, params, row.proargtypes)
    backend.connection.write(_response(_result(session, row, value, result_format)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _arguments(
    session: Any, row: PgProc, formats: tuple[int, ...], raw: list[bytes | None]
) -> list[Value]:
    wanted = len(row.proargtypes)
    if len(raw) != wanted:
        raise PgError(
            PROTOCOL_VIOLATION,
            f"function call message contains {len(raw)} arguments but function requires {wanted}",
        )
    if len(formats) > 1 and len(formats) != len(raw):
        raise PgError(
            PROTOCOL_VIOLATION,
            f"function call message contains {len(formats)} argument formats but {len(raw)} "
            "arguments",
        )
    params: list[Value] = []
    for number, (type_oid, data) in enumerate(zip(row.proargtypes, raw, strict=True)):
        if data is None:
            params.append(None)
            continue
        io = session.catalog.types.element_io(type_oid)
        code = formats[0 if len(formats) == 1 else number] if formats else 0
        if code == 0:
            params.append(io.input(str(data, session.client_codec), -1, session.ctx))
        elif code == 1:
            try:
                params.append(io.recv(bytes(data), -1, session.ctx))
            except LeftOver as error:
                raise error.said(
                    f"incorrect binary data format in function argument {number + 1}"
                ) from None
        else:
            raise PgError(INVALID_PARAMETER_VALUE, f"unsupported format code: {code}")
    return params


def _result(session: Any, row: PgProc, value: Value, code: int) -> bytes | None:
    if value is None:
        return None
    io = session.catalog.types.io(row.prorettype)
    if code not in (0, 1):
        raise PgError(INVALID_PARAMETER_VALUE, f"unsupported format code: {code}")
    encoder = io.binary_encoder(session.ctx) if code else io.text_encoder(session.ctx)
    data: bytes = encoder(value)
    return data


def _response(data: bytes | None) -> bytes:
    if data is None:
        return b"V" + struct.pack(">ii", 8, -1)
    return b"V" + struct.pack(">ii", len(data) + 8, len(data)) + data
