"""CURRENT_DATE and its family, and SQL/XML (transformSQLValueFunction, transformXmlExpr,
transformXmlSerialize of PostgreSQL's parse_expr.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pgemu.errors import CANNOT_COERCE, INVALID_PARAMETER_VALUE, SYNTAX_ERROR, PgError
from pgemu.nodes.primnodes import Expr, SQLValueFunction, XmlExpr
from pgemu.parser.parse_coerce import (
    COERCE_IMPLICIT_CAST,
    COERCION_IMPLICIT,
    coerce_to_specific_type,
    coerce_to_target_type,
)
from pgemu.parser.parse_type import typename_type_id_and_mod
from pgemu.parser.type_oids import (
    BOOLOID,
    DATEOID,
    INT4OID,
    NAMEOID,
    TEXTOID,
    TIMEOID,
    TIMESTAMPOID,
    TIMESTAMPTZOID,
    TIMETZOID,
    XMLOID,
)

if TYPE_CHECKING:
    from pgemu.parser.parse_node import ParseState

RawNode = dict[str, Any]

MAX_TIME_PRECISION = 6
_VALUE_FUNCTIONS = {
    "SVFOP_CURRENT_DATE": DATEOID,
    "SVFOP_CURRENT_TIME": TIMETZOID,
    "SVFOP_CURRENT_TIME_N": TIMETZOID,
    "SVFOP_CURRENT_TIMESTAMP": TIMESTAMPTZOID,
    "SVFOP_CURRENT_TIMESTAMP_N": TIMESTAMPTZOID,
    "SVFOP_LOCALTIME": TIMEOID,
    "SVFOP_LOCALTIME_N": TIMEOID,
    "SVFOP_LOCALTIMESTAMP": TIMESTAMPOID,
    "SVFOP_LOCALTIMESTAMP_N": TIMESTAMPOID,
    "SVFOP_CURRENT_ROLE": NAMEOID,
    "SVFOP_CURRENT_USER": NAMEOID,
    "SVFOP_USER": NAMEOID,
    "SVFOP_SESSION_USER": NAMEOID,
    "SVFOP_CURRENT_CATALOG": NAMEOID,
    "SVFOP_CURRENT_SCHEMA": NAMEOID,
}


def transform_sql_value_function(pstate: ParseState, body: RawNode) -> Expr:
    op = body.get("op", "SVFOP_CURRENT_DATE")
    type_oid = _VALUE_FUNCTIONS[op]
    typmod = body.get("typmod", 0)
    if op.endswith("_N"):
        what = "TIMESTAMP" if type_oid in (TIMESTAMPOID, TIMESTAMPTZOID) else "TIME"
        zone = " WITH TIME ZONE" if type_oid in (TIMETZOID, TIMESTAMPTZOID) else ""
        if typmod < 0:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"{what}({typmod}){zone} precision must not be negative",
            )
        if typmod > MAX_TIME_PRECISION:
            pstate.catalog.ctx.notice(
                "WARNING",
                INVALID_PARAMETER_VALUE,
                f"{what}({typmod}){zone} precision reduced to maximum allowed,"
                f" {MAX_TIME_PRECISION}",
            )
            typmod = MAX_TIME_PRECISION
    return SQLValueFunction(op, type_oid, typmod, body.get("location", 0))


def map_sql_identifier_to_xml_name(ident: str, fully_escaped: bool, escape_period: bool) -> str:
    """SQL/XML's mapping of identifiers to XML names: _xHHHH_ for what XML does not allow."""
    out = []
    for i, char in enumerate(ident):
        if char == ":" and (i == 0 or fully_escaped):
            out.append("_x003A_")
        elif char == "_" and ident[i + 1 : i + 2] == "x":
            out.append("_x005F_")
        elif fully_escaped and i == 0 and ident[:3].lower() == "xml":
            out.append("_x0078_" if char == "x" else "_x0058_")
        elif escape_period and char == ".":
            out.append("_x002E_")
        elif _is_xml_name_char(char, first=i == 0):
            out.append(char)
        else:
            out.append(f"_x{ord(char):04X}_")
    return "".join(out)


_NAME_CHAR = re.compile(r"[\w.:-]", re.UNICODE)
_NAME_START = re.compile(r"[^\W\d]|[_:]", re.UNICODE)


def _is_xml_name_char(char: str, *, first: bool) -> bool:
    pattern = _NAME_START if first else _NAME_CHAR
    return pattern.match(char) is not None


# op -> (types of the arguments in order, the last one repeating; name for messages)
_XML_ARGS: dict[str, tuple[tuple[int, ...], str]] = {
    "IS_XMLCONCAT": ((XMLOID,), "XMLCONCAT"),
    "IS_XMLPARSE": ((TEXTOID, BOOLOID), "XMLPARSE"),
    "IS_XMLPI": ((TEXTOID,), "XMLPI"),
    "IS_XMLROOT": ((XMLOID, TEXTOID, INT4OID), "XMLROOT"),
    "IS_DOCUMENT": ((XMLOID,), "IS DOCUMENT"),
}


def transform_xml_expr(pstate: ParseState, body: RawNode) -> Expr:
    from pgemu.parser.parse_expr import transform_expr_recurse

    op = body.get("op", "IS_XMLCONCAT")
    location = body.get("location", 0)
    named: list[Expr] = []
    names: list[str] = []
    for item in body.get("named_args", ()):
        target = item["ResTarget"]
        named.append(transform_expr_recurse(pstate, target["val"]))
        names.append(_argument_name(op, target, names))
    args: list[Expr] = []
    for i, raw in enumerate(body.get("args", ())):
        arg = transform_expr_recurse(pstate, raw)
        wanted = _XML_ARGS.get(op)
        if wanted is not None:
            types, construct = wanted
            arg = coerce_to_specific_type(pstate, arg, types[min(i, len(types) - 1)], construct)
        args.append(arg)
    name = body.get("name")
    if name is not None:
        name = map_sql_identifier_to_xml_name(name, False, False)
    result_type = BOOLOID if op == "IS_DOCUMENT" else XMLOID
    return XmlExpr(
        op, name, named, names, args, body.get("xmloption", ""), result_type, -1, location
    )


def _argument_name(op: str, target: RawNode, seen: list[str]) -> str:
    location = target.get("location", 0)
    if target.get("name"):
        name = map_sql_identifier_to_xml_name(target["name"], False, False)
    elif "ColumnRef" in target["val"]:
        from pgemu.parser.parse_target import figure_colname

        name = map_sql_identifier_to_xml_name(figure_colname(target["val"]), True, False)
    else:
        what = "attribute" if op == "IS_XMLELEMENT" else "element"
        raise PgError(
            SYNTAX_ERROR,
            f"unnamed XML {what} value must be a column reference",
            location=location,
        )
    if op == "IS_XMLELEMENT" and name in seen:
        raise PgError(
            SYNTAX_ERROR,
            f'XML attribute name "{name}" appears more than once',
            location=location,
        )
    return name


def transform_xml_serialize(pstate: ParseState, body: RawNode) -> Expr:
    from pgemu.parser.parse_expr import transform_expr_recurse

    arg = coerce_to_specific_type(
        pstate, transform_expr_recurse(pstate, body["expr"]), XMLOID, "XMLSERIALIZE"
    )
    target, typmod = typename_type_id_and_mod(pstate, body["typeName"])
    location = body.get("location", 0)
    xml = XmlExpr(
        "IS_XMLSERIALIZE", None, [], [], [arg], body.get("xmloption", ""), target, typmod, location
    )
    result = coerce_to_target_type(
        pstate, xml, TEXTOID, target, typmod, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1
    )
    if result is None:
        raise PgError(
            CANNOT_COERCE,
            f"cannot cast XMLSERIALIZE result to {pstate.catalog.type_name(target)}",
            location=location,
        )
    return result
