"""XMLELEMENT, XMLFOREST, XMLPI and XMLROOT, and SQL values as XML text (PostgreSQL: xmlelement,
xmlpi, xmlroot and map_sql_value_to_xml_value of utils/adt/xml.c).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from pgemu.errors import (
    DATETIME_VALUE_OUT_OF_RANGE,
    INVALID_XML_PROCESSING_INSTRUCTION,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.types.arrays_value import load_flat
from pgemu.types.json_encode import base_type, element_type, iso_text, type_io
from pgemu.types.xml import declaration_of
from pgemu.types.xml_parse import print_xml_decl

BOOL, BYTEA, DATE, TIMESTAMP, TIMESTAMPTZ, XML = 16, 17, 1082, 1114, 1184, 142
_INFINITE = {
    DATE: (2147483647, -2147483648),
    TIMESTAMP: (2**63 - 1, -(2**63)),
    TIMESTAMPTZ: (2**63 - 1, -(2**63)),
}
_LINE = 72
# STANDALONE of XMLROOT, as the grammar numbers it
STANDALONE_YES, STANDALONE_NO, STANDALONE_NO_VALUE, STANDALONE_OMITTED = range(4)


def escape_xml(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#x0d;")


def escape_attribute(text: str) -> str:
    """As libxml2's writer does without an encoding: ASCII only."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace('"', "&quot;")
    for char, written in (("\n", "&#10;"), ("\r", "&#13;"), ("\t", "&#9;")):
        text = text.replace(char, written)
    return text if text.isascii() else "".join(c if c < "\x80" else f"&#x{ord(c):X};" for c in text)


def _binary(ctx: CallContext, value: bytes) -> str:
    if ctx.guc is not None and ctx.guc.get("xmlbinary") == "hex":
        return value.hex().upper()
    text = base64.b64encode(value).decode()
    return "\r\n".join(text[i : i + _LINE] for i in range(0, len(text), _LINE))


def map_sql_value_to_xml_value(
    ctx: CallContext, oid: int, value: Any, *, escape: bool = True
) -> str:
    """The XML text of one value that is not NULL."""
    oid = base_type(ctx, oid)
    element = element_type(ctx, oid)
    if element:
        return _array(ctx, oid, element, value)
    if oid == BOOL:
        return "true" if value else "false"
    if oid in _INFINITE:
        if value in _INFINITE[oid]:
            what = "date" if oid == DATE else "timestamp"
            raise PgError(
                DATETIME_VALUE_OUT_OF_RANGE,
                f"{what} out of range",
                detail=f"XML does not support infinite {what} values.",
            )
        return iso_text(ctx, oid, value)
    if oid == BYTEA:
        return _binary(ctx, value)
    io = type_io(ctx, oid)
    text = str(io.output(value, ctx) if io is not None else value)
    return text if oid == XML or not escape else escape_xml(text)


def _array(ctx: CallContext, oid: int, element: int, value: Any) -> str:
    blob = getattr(type_io(ctx, element), "storage", "") == "blob"
    parts = []
    for one in load_flat(value):
        if one is None:
            continue
        if blob and isinstance(one, str):
            one = bytes.fromhex(one)
        parts.append(f"<element>{map_sql_value_to_xml_value(ctx, element, one)}</element>")
    return "".join(parts)


def xmlelement(
    ctx: CallContext,
    name: str,
    attributes: Sequence[tuple[str, int, Any]],
    content: Sequence[tuple[int, Any]],
) -> str:
    """attributes: (name, type, value); content: (type, value)."""
    written = "".join(
        f' {key}="{escape_attribute(map_sql_value_to_xml_value(ctx, t, v, escape=False))}"'
        for key, t, v in attributes
        if v is not None
    )
    parts = [map_sql_value_to_xml_value(ctx, t, v) for t, v in content if v is not None]
    if not parts:
        return f"<{name}{written}/>"
    return f"<{name}{written}>{''.join(parts)}</{name}>"


def xmlforest(ctx: CallContext, fields: Sequence[tuple[str, int, Any]]) -> str | None:
    parts = [
        f"<{name}>{map_sql_value_to_xml_value(ctx, t, v)}</{name}>"
        for name, t, v in fields
        if v is not None
    ]
    return "".join(parts) if parts else None


def xmlpi(target: str, content: str | None) -> str:
    if target.lower() == "xml":
        raise PgError(
            SYNTAX_ERROR,
            "invalid XML processing instruction",
            detail=f'XML processing instruction target name cannot be "{target}".',
        )
    if content is None:
        return f"<?{target}?>"
    if "?>" in content:
        raise PgError(
            INVALID_XML_PROCESSING_INSTRUCTION,
            "invalid XML processing instruction",
            detail='XML processing instruction cannot contain "?>".',
        )
    return f"<?{target} {content.lstrip(' ')}?>"


def xmlroot(value: str, version: str | None, standalone: int) -> str:
    decl = declaration_of(value)
    said = {STANDALONE_YES: 1, STANDALONE_NO: 0, STANDALONE_NO_VALUE: -1}
    return print_xml_decl(version, said.get(standalone, decl.standalone)) + value[decl.end :]
