"""xpath, xpath_exists and XMLEXISTS (PostgreSQL: xpath_internal of utils/adt/xml.c).

libxml2 evaluates the path; results become arrays of xml.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping
from typing import Any

from pgemu.errors import (
    DATA_EXCEPTION,
    INTERNAL_ERROR,
    INVALID_XML_DOCUMENT,
    NULL_VALUE_NOT_ALLOWED,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.arrays_value import dump_array, load_array
from pgemu.types.float import shortest_float8
from pgemu.types.xml import declaration_of
from pgemu.types.xml_parse import libxml, read_xml, report
from pgemu.types.xml_values import escape_xml

# the prefix under which lxml knows the namespace that every document has
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


def parse_document(ctx: CallContext, text: str) -> Any:
    """The root element of a value that must be a document."""
    body = text[declaration_of(text).end :]
    root, complaints = read_xml(body)
    if not body:
        complaints = complaints[1:]
    detail = report(ctx, complaints, strict=True)
    if detail is not None or root is None:
        raise PgError(INVALID_XML_DOCUMENT, "could not parse XML document", detail=detail)
    return root


_TOKEN = re.compile(
    r"\s+|'[^']*'|\"[^\"]*\"|\d+(?:\.\d*)?|\.\d+|::|//|\.\.|!=|<=|>="
    r"|[A-Za-z_\x80-\U0010ffff][\w.-]*(?::(?=[^:])[\w.*-]+)?|."
)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_CALL = re.compile(r"\s*\(")
_NODE_TYPES = ("comment", "text", "node", "processing-instruction")
_OPERATORS = ("and", "or", "div", "mod")
_OPENING = ("(", ",", "|", "+", "-", "=", "!=", "<", "<=", ">", ">=")


def from_document(path: str) -> str:
    """The path with its relative parts made absolute: libxml2's caller starts at the document
    node, lxml at the root element.  Predicates are relative to what they filter and stay."""
    out: list[str] = []
    depth, starts = 0, True
    for match in _TOKEN.finditer(path):
        token = match[0]
        if token.isspace():
            out.append(token)
            continue
        if starts and depth == 0:
            name = token[0].isalpha() or token[0] in "_*@" or token[0] > "\x7f"
            call = _CALL.match(path, match.end()) and token not in _NODE_TYPES
            if token == ".":
                token = "/."
            elif token == "..":
                token = "/.."
            elif name and not call:
                token = "/" + token
        depth += {"[": 1, "]": -1}.get(token, 0)
        operator = not starts and token in (*_OPERATORS, "*")
        out.append(token)
        starts = token in _OPENING or operator
    return "".join(out)


class XPath:
    """A compiled path with its namespaces."""

    def __init__(
        self,
        path: str,
        namespaces: Mapping[str, str],
        *,
        at_document: bool = True,
        code: str = INTERNAL_ERROR,
    ) -> None:
        etree = libxml()
        self.path = path
        for name, uri in namespaces.items():
            if not name or not uri:
                raise PgError(
                    INTERNAL_ERROR,
                    f'could not register XML namespace with name "{name}" and URI "{uri}"',
                )
        try:
            written = from_document(path) if at_document else path
            self.compiled = etree.XPath(written, namespaces=dict(namespaces), smart_strings=False)
        except etree.XPathSyntaxError as error:
            raise PgError(code, "invalid XPath expression", detail=str(error)) from None

    def evaluate(self, node: Any) -> Any:
        """A list of nodes, a number, a truth value or a string."""
        etree = libxml()
        if self.path == "/":
            return [node.getroottree()]
        try:
            return self.compiled(node)
        except etree.XPathEvalError as error:
            raise PgError(
                INTERNAL_ERROR, "could not create XPath object", detail=str(error)
            ) from None


def cdata_sections(text: str) -> frozenset[str]:
    """What stands in CDATA sections: lxml does not tell such text nodes from others."""
    return frozenset(_CDATA.findall(text)) if "<![CDATA[" in text else frozenset()


def node_to_xml(node: Any, cdata: frozenset[str] = frozenset()) -> str:
    """xml_xmlnodetoxmltype: elements, comments and instructions as markup, the others escaped."""
    if isinstance(node, str):
        return f"<![CDATA[{node}]]>" if node in cdata else escape_xml(node)
    if isinstance(node, tuple):
        raise PgError(INTERNAL_ERROR, "could not copy node")
    etree = libxml()
    if hasattr(node, "getroot"):
        return str(etree.tostring(node, encoding="unicode")) + "\n"
    return str(etree.tostring(copy.deepcopy(node), encoding="unicode", with_tail=False))


def float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return shortest_float8(value)


def scalar_text(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return float_text(value) if isinstance(value, float) else value


def namespaces_of(array: str) -> dict[str, str]:
    pairs, _lower = load_array(array)
    if not pairs:
        return {}
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs) or any(
        isinstance(item, list) for pair in pairs for item in pair
    ):
        raise PgError(
            DATA_EXCEPTION,
            "invalid array for XML namespace mapping",
            detail="The array must be two-dimensional with length of the second axis equal to 2.",
        )
    if any(item is None for pair in pairs for item in pair):
        raise PgError(NULL_VALUE_NOT_ALLOWED, "neither namespace name nor URI may be null")
    return dict(pairs)


def xpath_internal(ctx: CallContext, path: str, value: str, array: str) -> Any:
    namespaces = namespaces_of(array)
    if not path:
        raise PgError(DATA_EXCEPTION, "empty XPath expression")
    root = parse_document(ctx, value)
    return XPath(path, namespaces).evaluate(root)


@pg_function("xpath(text,xml,_text)", context=True)
def xpath(ctx: CallContext, path: str, value: str, array: str) -> str:
    found = xpath_internal(ctx, path, value, array)
    if isinstance(found, list):
        cdata = cdata_sections(value)
        return dump_array([node_to_xml(node, cdata) for node in found])
    return dump_array([escape_xml(scalar_text(found))])


@pg_function("xpath_exists(text,xml,_text)", context=True)
def xpath_exists(ctx: CallContext, path: str, value: str, array: str) -> bool:
    found = xpath_internal(ctx, path, value, array)
    return bool(found) if isinstance(found, list) else True


@pg_function("xmlexists(text,xml)", context=True)
def xmlexists(ctx: CallContext, path: str, value: str) -> bool:
    return xpath_exists(ctx, path, value, "[]")
