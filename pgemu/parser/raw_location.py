"""Where a raw parse node stands in the text (the raw half of PostgreSQL's exprLocation)."""

from __future__ import annotations

from typing import Any

# raw nodes whose `location` is that of an operator or keyword inside: look left as well
_LOOK_LEFT = {
    "A_Expr": ("lexpr",),
    "BoolExpr": ("args",),
    "NullTest": ("arg",),
    "BooleanTest": ("arg",),
    "TypeCast": ("arg",),
    "CollateClause": ("arg",),
    "A_Indirection": ("arg",),
    "SubLink": ("testexpr",),
    "SortBy": ("node",),
    "TypeName": (),
    "A_ArrayExpr": (),
}
_HAVE_LOCATION = frozenset(
    {
        "A_Const",
        "A_Expr",
        "BoolExpr",
        "ColumnRef",
        "ParamRef",
        "FuncCall",
        "CaseExpr",
        "CaseWhen",
        "CoalesceExpr",
        "MinMaxExpr",
        "RowExpr",
        "SubLink",
        "TypeCast",
        "TypeName",
        "ResTarget",
        "NullTest",
        "BooleanTest",
        "CollateClause",
        "A_ArrayExpr",
        "SQLValueFunction",
        "XmlExpr",
        "XmlSerialize",
        "SetToDefault",
        "RangeVar",
        "GroupingSet",
        "GroupingFunc",
        "NamedArgExpr",
        "CommonTableExpr",
        "WithClause",
        "OnConflictClause",
        "InferClause",
        "JsonIsPredicate",
        "WindowDef",
        "ColumnDef",
        "RangeTableFunc",
        "RangeTableSample",
    }
)


def raw_location(node: Any) -> int:
    """Leftmost byte offset of a raw node (a dict with one tag, or a list of those); -1 unknown."""
    if isinstance(node, list):
        return min((at for at in map(raw_location, node) if at >= 0), default=-1)
    if not isinstance(node, dict) or not node:
        return -1
    tag, body = next(iter(node.items()))
    if not isinstance(body, dict):
        return -1
    if tag == "SelectStmt":
        return _select_location(body)
    if tag == "List":
        return raw_location(body.get("items", []))
    own = body.get("location", 0) if tag in _HAVE_LOCATION else -1
    found = [own] if own >= 0 else []
    if tag == "TypeCast" and (at := body["typeName"].get("location", 0)) >= 0:
        found.append(at)  # CAST(), :: or a type's name before a literal
    for field in _LOOK_LEFT.get(tag, ()):
        at = raw_location(body.get(field))
        if at >= 0:
            found.append(at)
    return min(found, default=-1)


def _select_location(body: dict[str, Any]) -> int:
    """The start of a SELECT's first listed part (the keyword itself has no node)."""
    if body.get("larg"):
        return _select_location(body["larg"])
    if body.get("valuesLists"):
        return raw_location(body["valuesLists"])
    if body.get("withClause"):
        return int(body["withClause"].get("location", 0))
    return raw_location(body.get("targetList", []))


def open_parenthesis_before(text: str, location: int) -> int:
    """Byte offset of the last "(" before a location."""
    if location < 0:
        return -1
    return text.encode()[:location].rfind(b"(")
