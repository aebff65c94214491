"""xml: input and output, its aggregate, and the functions on whole values (PostgreSQL:
utils/adt/xml.c).

Storage: the text as it came.  Parsing stands in xml_parse.py, XMLELEMENT and its kin in
xml_values.py, XPath in xml_xpath.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    INVALID_XML_COMMENT,
    INVALID_XML_CONTENT,
    INVALID_XML_DOCUMENT,
    NOT_AN_XML_DOCUMENT,
    PgError,
)
from pgemu.fmgr import CallContext, pg_aggregate, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import register_type
from pgemu.types.text import TextType
from pgemu.types.xml_parse import (
    MalformedDeclaration,
    XmlDecl,
    parse_xml_decl,
    print_xml_decl,
    read_xml,
    report,
    xml_parse,
)


def option_is_document(ctx: CallContext) -> bool:
    return ctx.guc is not None and ctx.guc.get("xmloption") == "document"


class XmlType(TextType):
    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return xml_parse(ctx, text, document=option_is_document(ctx))

    def output(self, value: Any, ctx: CallContext) -> str:
        """xml_out_internal: the declaration goes, unless it says more than version 1.0."""
        text = str(value)
        if not text.startswith("<?xml"):
            return text
        try:
            decl = parse_xml_decl(text)
        except MalformedDeclaration as wrong:
            message = "could not parse XML declaration in stored value"
            ctx.notice("WARNING", "XX000", message, detail=str(wrong))
            return text
        printed = print_xml_decl(decl.version, decl.standalone)
        rest = text[decl.end :]
        return printed + rest if printed else rest.removeprefix("\n")

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: self.output(value, ctx).encode()

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return self.output(value, ctx).encode()

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return self.text_encoder(ctx)


register_type(XmlType("xml"))


@pg_function("xml(text)", context=True)
def texttoxml(ctx: CallContext, text: str) -> str:
    return xml_parse(ctx, text, document=option_is_document(ctx))


pg_function("text(xml)")(lambda value: value)


@pg_function("xmlcomment(text)")
def xmlcomment(text: str) -> str:
    if "--" in text or text.endswith("-"):
        raise PgError(INVALID_XML_COMMENT, "invalid XML comment")
    return f"<!--{text}-->"


def declaration_of(value: str) -> XmlDecl:
    """The declaration of a stored value; a malformed one counts as none."""
    try:
        return parse_xml_decl(value)
    except MalformedDeclaration:
        return XmlDecl()


def xmlconcat(values: list[str]) -> str:
    """The declarations of the parts become one: the version if all agree, the least standalone."""
    standalone, version, no_version = 1, None, False
    parts = []
    for value in values:
        decl = declaration_of(value)
        if decl.standalone == 0 and standalone == 1:
            standalone = 0
        if decl.standalone < 0:
            standalone = -1
        if decl.version is None:
            no_version = True
        elif version is None:
            version = decl.version
        elif version != decl.version:
            no_version = True
        parts.append(value[decl.end :])
    printed = ""
    if not no_version or standalone >= 0:
        printed = print_xml_decl(None if no_version else version, standalone)
    return printed + "".join(parts)


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


def is_well_formed(ctx: CallContext, text: str, *, document: bool) -> bool:
    try:
        xml_parse(ctx, text, document=document)
    except PgError as error:
        if error.sqlstate not in (INVALID_XML_DOCUMENT, INVALID_XML_CONTENT):
            raise
        return False
    return True


@pg_function("xml_is_well_formed_document(text)", context=True)
def xml_is_well_formed_document(ctx: CallContext, text: str) -> bool:
    return is_well_formed(ctx, text, document=True)


@pg_function("xml_is_well_formed_content(text)", context=True)
def xml_is_well_formed_content(ctx: CallContext, text: str) -> bool:
    return is_well_formed(ctx, text, document=False)


@pg_function("xml_is_well_formed(text)", context=True)
def xml_is_well_formed(ctx: CallContext, text: str) -> bool:
    return is_well_formed(ctx, text, document=option_is_document(ctx))


def xml_is_document(ctx: CallContext, value: str) -> bool:
    return report(ctx, read_xml(value)[1], strict=False) is None


def xmltotext_with_xmloption(ctx: CallContext, value: str, *, document: bool) -> str:
    if document and not xml_is_document(ctx, value):
        raise PgError(NOT_AN_XML_DOCUMENT, "not an XML document")
    return value


@pg_function("xmlvalidate(xml,text)")
def xmlvalidate(_value: str, _schema: str) -> bool:
    raise PgError("0A000", "xmlvalidate is not implemented")
