"""The name of an output column that was given none (FigureColname of PostgreSQL's
parse_target.c)."""

from __future__ import annotations

from typing import Any

RawNode = dict[str, Any]

_FIXED = {
    "GroupingFunc": "grouping",
    "A_ArrayExpr": "array",
    "RowExpr": "row",
    "CoalesceExpr": "coalesce",
    "XmlSerialize": "xmlserialize",
}
_MIN_MAX = {"IS_GREATEST": "greatest", "IS_LEAST": "least"}
_SQL_VALUE_FUNCTIONS = {
    "SVFOP_CURRENT_DATE": "current_date",
    "SVFOP_CURRENT_TIME": "current_time",
    "SVFOP_CURRENT_TIME_N": "current_time",
    "SVFOP_CURRENT_TIMESTAMP": "current_timestamp",
    "SVFOP_CURRENT_TIMESTAMP_N": "current_timestamp",
    "SVFOP_LOCALTIME": "localtime",
    "SVFOP_LOCALTIME_N": "localtime",
    "SVFOP_LOCALTIMESTAMP": "localtimestamp",
    "SVFOP_LOCALTIMESTAMP_N": "localtimestamp",
    "SVFOP_CURRENT_ROLE": "current_role",
    "SVFOP_CURRENT_USER": "current_user",
    "SVFOP_USER": "user",
    "SVFOP_SESSION_USER": "session_user",
    "SVFOP_CURRENT_CATALOG": "current_catalog",
    "SVFOP_CURRENT_SCHEMA": "current_schema",
}
_XML = {
    "IS_XMLCONCAT": "xmlconcat",
    "IS_XMLELEMENT": "xmlelement",
    "IS_XMLFOREST": "xmlforest",
    "IS_XMLPARSE": "xmlparse",
    "IS_XMLPI": "xmlpi",
    "IS_XMLROOT": "xmlroot",
}


def figure_colname(node: RawNode) -> str:
    """The column name; "?column?" when nothing suggests one."""
    return _figure(node)[1] or "?column?"


def figure_index_colname(node: RawNode) -> str | None:
    """The same for an index expression: None when nothing suggests a name."""
    return _figure(node)[1]


def _last_name(names: list[RawNode]) -> str | None:
    found = None
    for item in names:
        if "String" in item:
            found = item["String"].get("sval", "")
    return found


def _figure(node: RawNode | None) -> tuple[int, str | None]:
    """(strength, name): 0 nothing, 1 a weak suggestion (a type name), 2 a good name."""
    if not node:
        return 0, None
    tag, body = next(iter(node.items()))
    if tag == "ColumnRef":
        name = _last_name(body["fields"])
        return (2, name) if name is not None else (0, None)
    if tag == "FuncCall":
        return 2, _last_name(body["funcname"])
    if tag == "A_Indirection":
        name = _last_name(body["indirection"])
        return (2, name) if name is not None else _figure(body["arg"])
    if tag == "TypeCast":
        strength, name = _figure(body["arg"])
        return (strength, name) if strength > 1 else (1, _last_name(body["typeName"]["names"]))
    if tag == "CollateClause":
        return _figure(body["arg"])
    if tag == "CaseExpr":
        strength, name = _figure(body.get("defresult"))
        return (strength, name) if strength > 1 else (1, "case")
    if tag == "A_Expr":
        return (2, "nullif") if body["kind"] == "AEXPR_NULLIF" else (0, None)
    if tag == "MinMaxExpr":
        return 2, _MIN_MAX[body["op"]]
    if tag == "SQLValueFunction":
        return 2, _SQL_VALUE_FUNCTIONS[body["op"]]
    if tag == "XmlExpr":
        name = _XML.get(body["op"])
        return (2, name) if name else (0, None)
    if tag == "SubLink":
        return _figure_sublink(body)
    if tag in _FIXED:
        return 2, _FIXED[tag]
    return 0, None


def _figure_sublink(body: RawNode) -> tuple[int, str | None]:
    kind = body["subLinkType"]
    if kind == "EXISTS_SUBLINK":
        return 2, "exists"
    if kind == "ARRAY_SUBLINK":
        return 2, "array"
    if kind == "EXPR_SUBLINK":
        select = body["subselect"].get("SelectStmt", {})
        while select.get("larg"):
            select = select["larg"]
        targets = select.get("targetList")
        if targets:
            target = targets[0]["ResTarget"]
            if target.get("name"):
                return 2, target["name"]
            return 2, figure_colname(target["val"])
        if select.get("valuesLists"):
            return 2, "column1"
    return 0, None
