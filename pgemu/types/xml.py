"""xml: well-formedness, and the functions that need no document model (PostgreSQL:
utils/adt/xml.c).

Storage: the text.  libxml2's place is taken by the standard library's expat, which reports other
details than libxml2; the messages above them are PostgreSQL's.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from pgemu.errors import PgError
from pgemu.fmgr import CallContext, pg_aggregate, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import register_type
from pgemu.types.text import TextType

DECLARATION = re.compile(
    r"<\?xml\s+version\s*=\s*(['\"])([^'\"]*)\1(?:\s+encoding\s*=\s*(['\"])([^'\"]*)\3)?"
    r"(?:\s+standalone\s*=\s*(['\"])(yes|no)\5)?\s*\?>"
)
DOCTYPE = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>)*<!DOCTYPE", re.DOTALL)


def parses(text: str) -> bool:
    parser = expat.ParserCreate()
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        return False
    return True


def without_declaration(text: str) -> str:
    match = DECLARATION.match(text)
    return text[match.end() :] if match else text


def is_document(text: str) -> bool:
    """One root element, perhaps with a prolog."""
    return parses(DECLARATION.sub("", text.lstrip(), count=1))


def is_content(text: str) -> bool:
    """A sequence of elements and text; with a DOCTYPE it must be a document."""
    body = without_declaration(text)
    if body.startswith("<?xml "):
        return False
    if DOCTYPE.match(body):
        return is_document(text)
    return parses(f"<x>{body}</x>")


def check_xml(text: str, document: bool) -> str:
    if document and not is_document(text):
        raise PgError("2200M", "invalid XML document")
    if not document and not is_content(text):
        raise PgError("2200N", "invalid XML content")
    return text


def option_is_document(ctx: CallContext) -> bool:
    return ctx.guc is not None and ctx.guc.get("xmloption") == "document"


class XmlType(TextType):
    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return check_xml(text, option_is_document(ctx))

    def output(self, value: Any, ctx: CallContext) -> str:
        """xml_out_internal: the declaration goes, unless it says more than version 1.0."""
        text = str(value)
        match = DECLARATION.match(text)
        if match is None:
            return text
        rest = text[match.end() :]
        if match[2] != "1.0" or match[6]:
            standalone = f' standalone="{match[6]}"' if match[6] else ""
            return f'<?xml version="{match[2]}"{standalone}?>{rest}'
        return rest.removeprefix("\n")


register_type(XmlType("xml"))


@pg_function("xml(text)", context=True)
def texttoxml(ctx: CallContext, text: str) -> str:
    return check_xml(text, option_is_document(ctx))


pg_function("text(xml)")(lambda value: value)


@pg_function("xmlcomment(text)")
def xmlcomment(text: str) -> str:
    if "--" in text or text.endswith("-"):
        raise PgError("2200S", "invalid XML comment")
    return f"<!--{text}-->"


def xmlconcat(values: list[str]) -> str:
    """The declarations of the parts become one: the least version, standalone if all agree."""
    versions: set[str] = set()
    standalone: set[str | None] = set()
    parts = []
    for value in values:
        match = DECLARATION.match(value)
        versions.add(match[2] if match else "")
        standalone.add(match[6] if match else None)
        parts.append(value[match.end() :] if match else value)
    version = versions.pop() if len(versions) == 1 else ""
    alone = standalone.pop() if len(standalone) == 1 else None
    if alone is None and version in ("", "1.0"):
        return "".join(parts)
    said = f' standalone="{alone}"' if alone else ""
    return f'<?xml version="{version or "1.0"}"{said}?>' + "".join(parts)


@pg_function("xmlconcat2(xml,xml)")
def xmlconcat2(a: str | None, b: str | None) -> str | None:
    given = [value for value in (a, b) if value is not None]
    return xmlconcat(given) if given else None


@pg_aggregate("xmlagg(xml)")
class XmlAgg:
    def __init__(self) -> None:
        self.values: list[str] = []

    def step(self, value: str) -> None:
        self.values.append(value)

    def final(self) -> str | None:
        return xmlconcat(self.values) if self.values else None


pg_function("xml_is_well_formed_document(text)")(is_document)
pg_function("xml_is_well_formed_content(text)")(is_content)


@pg_function("xml_is_well_formed(text)", context=True)
def xml_is_well_formed(ctx: CallContext, text: str) -> bool:
    return is_document(text) if option_is_document(ctx) else is_content(text)


@pg_function("xmlvalidate(xml,text)")
def xmlvalidate(_value: str, _schema: str) -> bool:
    raise PgError("0A000", "xmlvalidate is not implemented")
