"""The NOTICEs of DROP ... IF EXISTS (does_not_exist_skipping of dropcmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgNamespace
from pgemu.commands.define import list_items, strings, type_name_to_string

_PLAIN = {
    "OBJECT_SCHEMA": "schema", "OBJECT_EXTENSION": "extension", "OBJECT_LANGUAGE": "language",
    "OBJECT_EVENT_TRIGGER": "event trigger", "OBJECT_FDW": "foreign-data wrapper",
    "OBJECT_FOREIGN_SERVER": "server", "OBJECT_PUBLICATION": "publication",
    "OBJECT_ACCESS_METHOD": "access method",
}  # fmt: skip
_QUALIFIED = {
    "OBJECT_COLLATION": "collation", "OBJECT_CONVERSION": "conversion",
    "OBJECT_STATISTIC_EXT": "statistics object", "OBJECT_TSPARSER": "text search parser",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TSTEMPLATE": "text search template",
    "OBJECT_TSCONFIGURATION": "text search configuration",
}  # fmt: skip
_CALLABLE = {
    "OBJECT_FUNCTION": "function", "OBJECT_PROCEDURE": "procedure",
    "OBJECT_ROUTINE": "routine", "OBJECT_AGGREGATE": "aggregate",
}  # fmt: skip
_ON_RELATION = {
    "OBJECT_TRIGGER": "trigger", "OBJECT_RULE": "rule", "OBJECT_POLICY": "policy",
}  # fmt: skip


def does_not_exist_skipping(session: Any, objtype: str, node: Any) -> None:
    """Say what was not there."""
    text = _text(session, objtype, node)
    if not text.endswith(", skipping"):  # operator classes have their own order of words
        text += " does not exist, skipping"
    session.notice("NOTICE", "00000", text)


def _missing_schema(session: Any, names: list[str]) -> str | None:
    if len(names) > 1 and session.catalog.one(PgNamespace, nspname=names[-2]) is None:
        return f'schema "{names[-2]}"'
    return None


def _text(session: Any, objtype: str, node: Any) -> str:
    if objtype in _PLAIN:
        return f'{_PLAIN[objtype]} "{strings([node])[0]}"'
    if objtype in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        type_name = node["TypeName"]
        schema = _missing_schema(session, strings(type_name["names"]))
        return schema or f'type "{type_name_to_string(type_name)}"'
    if objtype in _QUALIFIED:
        names = strings(list_items(node))
        return _missing_schema(session, names) or f'{_QUALIFIED[objtype]} "{".".join(names)}"'
    if objtype in _CALLABLE:
        body = node["ObjectWithArgs"]
        names = strings(body["objname"])
        schema = _missing_schema(session, names)
        if schema:
            return schema
        from pgemu.catalog.namespace import name_list_to_string

        shown = _argument_types(body)
        missing = _missing_type(session, body.get("objargs", ()))
        return missing or f"{_CALLABLE[objtype]} {name_list_to_string(names)}({shown})"
    if objtype == "OBJECT_OPERATOR":
        body = node["ObjectWithArgs"]
        names = strings(body["objname"])
        missing = _missing_schema(session, names)
        missing = missing or _missing_type(session, body.get("objargs", ()))
        return missing or f"operator {'.'.join(names)}"
    if objtype in _ON_RELATION:
        names = strings(list_items(node))
        relation = names[:-1]
        schema = _missing_schema(session, relation)
        if schema:
            return schema
        if not _relation_exists(session, relation):
            return f'relation "{".".join(relation)}"'
        return f'{_ON_RELATION[objtype]} "{names[-1]}" for relation "{".".join(relation)}"'
    if objtype == "OBJECT_CAST":
        items = list_items(node)
        source, target = (type_name_to_string(i["TypeName"]) for i in items)
        return _missing_type(session, items) or f"cast from type {source} to type {target}"
    if objtype == "OBJECT_TRANSFORM":
        type_node, language = list_items(node)
        shown = type_name_to_string(type_node["TypeName"])
        missing = _missing_type(session, [type_node])
        return missing or f'transform for type {shown} language "{strings([language])[0]}"'
    if objtype in ("OBJECT_OPCLASS", "OBJECT_OPFAMILY"):
        names = strings(list_items(node))
        word = "operator class" if objtype == "OBJECT_OPCLASS" else "operator family"
        schema = _missing_schema(session, names[1:])
        if schema:
            return schema
        shown = ".".join(names[1:])
        return f'{word} "{shown}" does not exist for access method "{names[0]}", skipping'
    return "object"


def _missing_type(session: Any, nodes: Any) -> str | None:
    """type_in_list_does_not_exist_skipping: the first type that there is not, or its schema."""
    from pgemu.parser.parse_type import lookup_type_name_oid

    for node in nodes:
        if "TypeName" not in node:
            continue
        type_name = {**node["TypeName"], "location": -1}
        if not lookup_type_name_oid(session.catalog, type_name, True):
            schema = _missing_schema(session, strings(type_name.get("names")))
            return schema or f'type "{type_name_to_string(type_name)}"'
    return None


def _argument_types(body: dict[str, Any]) -> str:
    args = body.get("objargs", ())
    return ",".join(type_name_to_string(a["TypeName"]) for a in args if "TypeName" in a)


def _relation_exists(session: Any, names: list[str]) -> bool:
    from pgemu.catalog.namespace import make_range_var_from_name_list, range_var_get_relid

    node = make_range_var_from_name_list(names)
    return bool(range_var_get_relid(session.catalog, node.get("RangeVar", node), True))
