"""Parsing XML: declarations, documents and content, and the messages of what is wrong
(PostgreSQL: parse_xml_decl, xml_parse and xml_errorHandler of utils/adt/xml.c).

PostgreSQL hands the text to libxml2; so does this module, through lxml, which is loaded when a
first value of type xml is parsed.  lxml parses whole documents only: content is parsed as the
beginning of an element that never ends, whose one expected error is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_XML_CONTENT,
    INVALID_XML_DOCUMENT,
    PgError,
)
from pgemu.fmgr import CallContext

DEFAULT_VERSION = "1.0"
# parts of the file context that libxml2 prints under a message
_CONTEXT_SIZE = 79
_CHUNK = "pgemu-chunk"
_BLANKS = " \t\n\r"
_NAME_CHAR = re.compile(r"[\w.:-]")
_UNDECLARED_ENTITY_WARNING = 27
_WARNING, _ERROR = 1, 2


@cache
def libxml() -> Any:
    """lxml.etree, loaded late: most sessions never see XML."""
    try:
        return import_module("lxml.etree")
    except ImportError:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "unsupported XML feature",
            detail="This functionality requires the server to be built with libxml support.",
        ) from None


@cache
def _empty_entities() -> Any:
    """xmlPgEntityLoader: whatever stands outside of the document is empty."""

    def resolve(self: Any, url: str, public: str, context: Any) -> Any:
        return self.resolve_string("", context)

    return type("EmptyEntities", (libxml().Resolver,), {"resolve": resolve})()


@dataclass(frozen=True, slots=True)
class XmlDecl:
    """The declaration at the beginning of a text: where it ends, what it says."""

    end: int = 0
    version: str | None = None
    standalone: int = -1


class MalformedDeclaration(Exception):
    """The DETAIL that describes what is wrong with a declaration."""


_DETAILS = {
    "space": "Space required.",
    "version": "Malformed declaration: missing version.",
    "encoding": "Missing encoding in text declaration.",
    "standalone": "standalone accepts only 'yes' or 'no'.",
    "end": "Parsing XML declaration: '?>' expected.",
    "char": "Invalid character value.",
}


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 5

    def skip(self) -> None:
        while self.text[self.at : self.at + 1] in tuple(_BLANKS):
            self.at += 1

    def attribute(self, name: str, wrong: str) -> str | None:
        """The quoted value of the attribute if it comes next."""
        before = self.at
        self.skip()
        if not self.text.startswith(name, self.at):
            self.at = before
            return None
        if self.text[before] not in _BLANKS:
            raise MalformedDeclaration(_DETAILS["space"])
        self.at += len(name)
        self.skip()
        if self.text[self.at : self.at + 1] != "=":
            raise MalformedDeclaration(_DETAILS[wrong])
        self.at += 1
        self.skip()
        quote = self.text[self.at : self.at + 1]
        end = self.text.find(quote, self.at + 1) if quote in ("'", '"') else -1
        if end < 0:
            raise MalformedDeclaration(_DETAILS[wrong])
        value = self.text[self.at + 1 : end]
        self.at = end + 1
        return value


def parse_xml_decl(text: str) -> XmlDecl:
    """The XML declaration of a text, if it has one; raises MalformedDeclaration."""
    if not text.startswith("<?xml") or _NAME_CHAR.match(text, 5):
        return XmlDecl()
    scanner = _Scanner(text)
    if text[5:6] not in tuple(_BLANKS):
        raise MalformedDeclaration(_DETAILS["space"])
    version = scanner.attribute("version", "version")
    if version is None:
        raise MalformedDeclaration(_DETAILS["version"])
    scanner.attribute("encoding", "encoding")
    said = scanner.attribute("standalone", "standalone")
    if said not in (None, "yes", "no"):
        raise MalformedDeclaration(_DETAILS["standalone"])
    scanner.skip()
    if not text.startswith("?>", scanner.at):
        raise MalformedDeclaration(_DETAILS["end"])
    end = scanner.at + 2
    if not text[:end].isascii():
        raise MalformedDeclaration(_DETAILS["char"])
    return XmlDecl(end, version, -1 if said is None else int(said == "yes"))


def print_xml_decl(version: str | None, standalone: int) -> str:
    """The declaration, if there is something to say."""
    if (version is None or version == DEFAULT_VERSION) and standalone == -1:
        return ""
    said = "" if standalone == -1 else f' standalone="{"yes" if standalone else "no"}"'
    return f'<?xml version="{version or DEFAULT_VERSION}"{said}?>'


def xml_doctype_in_content(text: str) -> bool:
    """A DOCTYPE follows after comments and processing instructions: it must be a document."""
    at = 0
    while True:
        while text[at : at + 1] in tuple(_BLANKS):
            at += 1
        if text.startswith("<!DOCTYPE", at):
            return True
        for opening, closing in (("<!--", "--"), ("<?", "?>")):
            if text.startswith(opening, at):
                end = text.find(closing, at + len(opening))
                if end < 0 or (closing == "--" and text[end + 2 : end + 3] != ">"):
                    return False
                at = end + (3 if closing == "--" else 2)
                break
        else:
            return False


# -- what libxml2 says -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complaint:
    level: int
    domain: str
    text: str


def _file_context(text: str, line: int, column: int) -> str:
    """xmlParserPrintFileContext: the line, and a mark under the place."""
    lines = text.split("\n")
    shown = lines[line - 1].rstrip("\r") if 0 < line <= len(lines) else ""
    column = max(column - 1, 0)
    if column > _CONTEXT_SIZE:
        shown, column = shown[column - _CONTEXT_SIZE :], _CONTEXT_SIZE
    shown = shown[:_CONTEXT_SIZE]
    mark = "".join("\t" if c == "\t" else " " for c in shown[:column])
    return f"{shown}\n{mark}^"


def _complaint(entry: Any, text: str, offset: int) -> Complaint | None:
    """One entry of libxml2's log; offset: how much longer its first line was."""
    if entry.type == _UNDECLARED_ENTITY_WARNING:
        return None
    line, column, message = entry.line, entry.column, entry.message
    if line == 1:
        column -= offset
    if offset and _CHUNK in message:
        if message.startswith("Premature end of data"):
            return None
        message = "chunk is not well balanced"
        at = text.split("\n")[line - 1].rfind("</", 0, max(column - 1, 0))
        column = at + 1 if at >= 0 else column
    prefix = f"line {line}: " if line > 0 else ""
    said = f"{prefix}{message}\n{_file_context(text, line, column)}"
    return Complaint(entry.level, entry.domain_name, said)


def read_xml(text: str, *, chunk: bool = False) -> tuple[Any, list[Complaint]]:
    """(root element or None, complaints) of a document, or of the inside of an element."""
    etree = libxml()
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=True,
        no_network=True,
        attribute_defaults=True,
        strip_cdata=False,
    )
    parser.resolvers.add(_empty_entities())
    opening = f"<{_CHUNK}>" if chunk else ""
    try:
        root = etree.fromstring((opening + text).encode(), parser)
    except etree.XMLSyntaxError:
        root = None
    if not chunk and not text:
        return None, [
            Complaint(3, "PARSER", "line 1: switching encoding : no input\n\n^"),
            Complaint(3, "PARSER", "line 1: Document is empty\n\n^"),
        ]
    found = (_complaint(entry, text, len(opening)) for entry in parser.error_log)
    return root, [c for c in found if c is not None]


def report(ctx: CallContext, complaints: list[Complaint], *, strict: bool) -> str | None:
    """xml_errorHandler: warnings go to the client; the DETAIL of the errors, None without any.
    strict: what concerns more than well-formedness counts too."""
    errors = []
    for complaint in complaints:
        if not strict and complaint.domain not in ("PARSER", "NONE", "MEMORY", "IO"):
            continue
        if complaint.level >= _ERROR:
            errors.append(complaint.text)
        else:
            ctx.notice("WARNING", "01000", complaint.text)
    return "\n".join(errors) if errors else None


def xml_parse(ctx: CallContext, text: str, *, document: bool) -> str:
    """The text if it is well-formed; 2200M or 2200N otherwise."""
    body, as_document = text, document
    if not document:
        try:
            body = text[parse_xml_decl(text).end :]
        except MalformedDeclaration as wrong:
            raise PgError(
                INVALID_XML_CONTENT,
                "invalid XML content: invalid XML declaration",
                detail=str(wrong),
            ) from None
        as_document = xml_doctype_in_content(body)
    if as_document:
        complaints = read_xml(text)[1]
    elif body and ("<" in body or "&" in body or not body.isprintable() or "]]>" in body):
        complaints = read_xml(body, chunk=True)[1]
    else:
        return text
    detail = report(ctx, complaints, strict=False)
    if detail is not None:
        code = INVALID_XML_DOCUMENT if document else INVALID_XML_CONTENT
        what = "document" if document else "content"
        raise PgError(code, f"invalid XML {what}", detail=detail)
    return text
