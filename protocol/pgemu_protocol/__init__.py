"""PostgreSQL's frontend/backend protocol, sans I/O: bytes in, messages out, and back.

See README.md for the map.  The names most used are exported here; the message classes live in
frontend, backend and startup, the fast functions of the statement path in hot.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pgemu_protocol.framing import (
    AUTHENTICATION_LIMITS,
    MESSAGE_LIMITS,
    PG_MAX_AUTH_TOKEN_LENGTH,
    PQ_LARGE_MESSAGE_LIMIT,
    PQ_SMALL_MESSAGE_LIMIT,
    FrameReader,
)
from pgemu_protocol.hot import (
    AUTHENTICATION_OK,
    BIND_COMPLETE,
    CLOSE_COMPLETE,
    COPY_DONE,
    EMPTY_QUERY_RESPONSE,
    NO_DATA,
    PARSE_COMPLETE,
    PORTAL_SUSPENDED,
    READY_FAILED,
    READY_IDLE,
    READY_IN_BLOCK,
    backend_key_data,
    command_complete,
    copy_data,
    copy_in_response,
    copy_out_response,
    data_row,
    data_rows,
    decode_bind,
    decode_close,
    decode_copy_fail,
    decode_describe,
    decode_execute,
    decode_function_call,
    decode_parse,
    decode_query,
    error_response,
    notice_response,
    notification_response,
    parameter_description,
    parameter_status,
    ready_for_query,
    row_description,
)
from pgemu_protocol.violation import ProtocolViolation

if TYPE_CHECKING:
    from pgemu_protocol.message import Message
    from pgemu_protocol.states import Action, Conversation, Event, Phase

__all__ = [
    "AUTHENTICATION_LIMITS",
    "AUTHENTICATION_OK",
    "BIND_COMPLETE",
    "CLOSE_COMPLETE",
    "COPY_DONE",
    "EMPTY_QUERY_RESPONSE",
    "MESSAGE_LIMITS",
    "NO_DATA",
    "PARSE_COMPLETE",
    "PG_MAX_AUTH_TOKEN_LENGTH",
    "PORTAL_SUSPENDED",
    "PQ_LARGE_MESSAGE_LIMIT",
    "PQ_SMALL_MESSAGE_LIMIT",
    "READY_FAILED",
    "READY_IDLE",
    "READY_IN_BLOCK",
    "Action",
    "Conversation",
    "Event",
    "FrameReader",
    "Message",
    "Phase",
    "ProtocolViolation",
    "backend_key_data",
    "command_complete",
    "copy_data",
    "copy_in_response",
    "copy_out_response",
    "data_row",
    "data_rows",
    "decode_bind",
    "decode_close",
    "decode_copy_fail",
    "decode_describe",
    "decode_execute",
    "decode_function_call",
    "decode_parse",
    "decode_query",
    "error_response",
    "notice_response",
    "notification_response",
    "parameter_description",
    "parameter_status",
    "ready_for_query",
    "row_description",
]

_LATER = {
    "Action": "states",
    "Conversation": "states",
    "Event": "states",
    "Message": "message",
    "Phase": "states",
}
"""Loaded when asked for: a server starts sooner without them."""


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
