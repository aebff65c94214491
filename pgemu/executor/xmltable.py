"""SQL/XML's expressions and XMLTABLE at run time (PostgreSQL: ExecEvalXmlExpr, nodeTableFuncscan.c
and the XmlTable routines of utils/adt/xml.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from pgemu.errors import (
    CARDINALITY_VIOLATION,
    DATA_EXCEPTION,
    FEATURE_NOT_SUPPORTED,
    NULL_VALUE_NOT_ALLOWED,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.executor.tablefunctions import _Module
from pgemu.fmgr import CallContext
from pgemu.types.xml import xml_is_document, xmlconcat, xmltotext_with_xmloption
from pgemu.types.xml_parse import xml_parse
from pgemu.types.xml_values import escape_xml, xmlelement, xmlforest, xmlpi, xmlroot
from pgemu.types.xml_xpath import XPath, cdata_sections, node_to_xml, parse_document, scalar_text

if TYPE_CHECKING:
    from pgemu.executor.udf import UdfRegistry

XMLOID, INT4OID = 142, 23
# (name, type, typmod, has a path, has a default, NOT NULL)
Column = tuple[str, int, int, bool, bool, bool]


def xml_expr(
    udfs: UdfRegistry,
    op: str,
    name: str | None,
    names: Sequence[str],
    types: Sequence[int],
    document: bool,
) -> Callable[..., Any]:
    """The function that one XmlExpr of a statement calls with its named and other arguments."""
    ctx = udfs.ctx
    if op == "IS_XMLELEMENT":
        return partial(_element, ctx, name or "", tuple(names), tuple(types))
    if op == "IS_XMLFOREST":
        return lambda *values: xmlforest(ctx, list(zip(names, types, values, strict=True)))
    if op == "IS_XMLCONCAT":
        return _concat
    if op == "IS_XMLPI":
        return partial(_pi, name or "", len(types))
    one: dict[str, Callable[..., Any]] = {
        "IS_XMLPARSE": lambda text, _keep: xml_parse(ctx, text, document=document),
        "IS_XMLROOT": xmlroot,
        "IS_XMLSERIALIZE": lambda v: xmltotext_with_xmloption(ctx, v, document=document),
        "IS_DOCUMENT": lambda value: xml_is_document(ctx, value),
    }
    body = one[op]
    return lambda value, *rest: None if value is None else body(value, *rest)


def _element(
    ctx: CallContext, name: str, names: tuple[str, ...], types: tuple[int, ...], *values: Any
) -> str:
    named = len(names)
    attributes = list(zip(names, types[:named], values[:named], strict=True))
    content = list(zip(types[named:], values[named:], strict=True))
    return xmlelement(ctx, name, attributes, content)


def _concat(*values: str | None) -> str | None:
    given = [value for value in values if value is not None]
    return xmlconcat(given) if given else None


def _pi(target: str, nargs: int, *content: str | None) -> str | None:
    if nargs and content[0] is None:
        xmlpi(target, None)
        return None
    return xmlpi(target, content[0] if content else None)


class XmlTableModule(_Module):
    """XMLTABLE: the arguments are document, row path, URIs, then each column's path and default
    as far as they are written."""

    def __init__(
        self, ctx: CallContext, ns_names: Sequence[str], columns: Sequence[Column], ordinality: int
    ) -> None:
        self.ctx, self.ns_names, self.columns = ctx, ns_names, columns
        self.ordinality = ordinality
        self.cdata: frozenset[str] = frozenset()
        self.ncolumns = len(columns)
        self.nargs = 2 + len(ns_names) + sum(path + default for *_, path, default, _n in columns)

    def _namespaces(self, uris: Sequence[str | None]) -> dict[str, str]:
        found = {}
        for name, uri in zip(self.ns_names, uris, strict=True):
            if uri is None:
                raise PgError(NULL_VALUE_NOT_ALLOWED, "namespace URI must not be null")
            if not name:
                raise PgError(FEATURE_NOT_SUPPORTED, "DEFAULT namespace is not supported")
            found[name] = uri
        return found

    def _columns(
        self, args: Sequence[Any], namespaces: dict[str, str]
    ) -> tuple[list[XPath | None], list[Any]]:
        rest = iter(args)
        paths: list[XPath | None] = []
        defaults = []
        for number, (name, _type, _typmod, has_path, has_default, _not_null) in enumerate(
            self.columns
        ):
            path = next(rest) if has_path else name
            defaults.append(next(rest) if has_default else None)
            if number == self.ordinality:
                paths.append(None)
                continue
            if path is None:
                raise PgError(
                    NULL_VALUE_NOT_ALLOWED,
                    "column filter expression must not be null",
                    detail=f'Filter for column "{name}" is null.',
                )
            if not path:
                raise PgError(DATA_EXCEPTION, "column path filter must not be empty string")
            paths.append(XPath(path, namespaces, at_document=False, code=DATA_EXCEPTION))
        return paths, defaults

    def rows(self, *args: Any) -> Iterator[Any]:
        document, path = args[0], args[1]
        if document is None:
            return
        uris = args[2 : 2 + len(self.ns_names)]
        root = parse_document(self.ctx, document)
        namespaces = self._namespaces(uris)
        if path is None:
            raise PgError(NULL_VALUE_NOT_ALLOWED, "row filter expression must not be null")
        if not path:
            raise PgError(DATA_EXCEPTION, "row path filter must not be empty string")
        row_path = XPath(path, namespaces, code=SYNTAX_ERROR)
        self.cdata = cdata_sections(document)
        paths, defaults = self._columns(args[2 + len(uris) :], namespaces)
        found = row_path.evaluate(root)
        for number, node in zip(count(1), found if isinstance(found, list) else ()):
            yield tuple(self._row(node, number, paths, defaults))

    def _row(
        self, node: Any, number: int, paths: list[XPath | None], defaults: list[Any]
    ) -> Iterator[Any]:
        for column, path, default in zip(self.columns, paths, defaults, strict=True):
            name, type_oid, typmod, _has_path, has_default, not_null = column
            if path is None:
                yield number
                continue
            text = self._text(path.evaluate(node), type_oid)
            value = None
            if text is not None:
                value = self.ctx.catalog.types.io(type_oid).input(text, typmod, self.ctx)
            elif has_default:
                value = default
            if value is None and not_null:
                raise PgError(NULL_VALUE_NOT_ALLOWED, f'null is not allowed in column "{name}"')
            yield value

    def _text(self, found: Any, type_oid: int) -> str | None:
        """XmlTableGetValue: what the column's input function gets."""
        if not isinstance(found, list):
            if isinstance(found, bool) and self._is_number(type_oid):
                return "1" if found else "0"
            text = scalar_text(found)
            return escape_xml(text) if type_oid == XMLOID and isinstance(found, str) else text
        if not found:
            return None
        if type_oid == XMLOID:
            return "".join(node_to_xml(node, self.cdata) for node in found)
        if len(found) > 1:
            raise PgError(
                CARDINALITY_VIOLATION,
                "more than one value returned by column XPath expression",
            )
        node = found[0]
        if isinstance(node, str):
            return node
        return str(node.xpath("string()"))

    def _is_number(self, type_oid: int) -> bool:
        return bool(self.ctx.catalog.types.row(type_oid).typcategory == "N")
