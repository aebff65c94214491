"""Reading DefElem options and name lists of raw parse nodes (PostgreSQL's define.c and parts of
value.h): every command's `WITH (a = 1, b)` goes through here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pgemu.errors import SYNTAX_ERROR, PgError

RawNode = dict[str, Any]


def body(node: RawNode) -> RawNode:
    """The fields of a node {"Type": {...}}."""
    inner: RawNode = next(iter(node.values()))
    return inner


def sval(node: RawNode) -> str:
    """The text of a String node."""
    inner = node["String"]
    return str(inner.get("sval", ""))


def strings(nodes: Iterable[RawNode] | None) -> list[str]:
    """The texts of a list of String nodes."""
    return [str(n["String"].get("sval", "")) for n in nodes or ()]


def elements(nodes: Iterable[RawNode] | None) -> list[RawNode]:
    """The DefElem bodies of an option list."""
    return [n["DefElem"] for n in nodes or ()]


def node_value(arg: RawNode) -> Any:
    """Python value of a String, Integer, Float or Boolean node."""
    kind, inner = next(iter(arg.items()))
    if kind == "String":
        return inner.get("sval", "")
    if kind == "Integer":
        return inner.get("ival", 0)
    if kind == "Float":
        return inner["fval"]
    if kind == "Boolean":
        return bool(inner.get("boolval", False))
    if kind == "A_Const":
        return const_value(inner)
    raise PgError(SYNTAX_ERROR, f"unrecognized node type: {kind}")


def const_value(const: RawNode) -> Any:
    """Python value of an A_Const: str, int, float text, bool or None."""
    if const.get("isnull"):
        return None
    for key, field in (
        ("sval", "sval"), ("ival", "ival"), ("fval", "fval"), ("boolval", "boolval"),
        ("bsval", "bsval"),
    ):  # fmt: skip
        if key in const:
            empty: Any = {"ival": 0, "boolval": False}.get(key, "")
            return const[key].get(field, empty)
    return None


def def_get_string(option: RawNode) -> str:
    """defGetString."""
    arg = option.get("arg")
    if arg is None:
        raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a parameter")
    kind, inner = next(iter(arg.items()))
    if kind == "TypeName":
        return type_name_to_string(inner)
    if kind == "List":
        return ".".join(strings(inner["items"]))
    if kind == "A_Star":
        return "*"
    value = node_value(arg)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def type_name_to_string(type_name: RawNode) -> str:
    """TypeNameToString: the words as written."""
    text = ".".join(strings(type_name.get("names")))
    if type_name.get("pct_type"):
        text += "%TYPE"
    if type_name.get("arrayBounds"):
        text += "[]"
    return text


def def_get_boolean(option: RawNode) -> bool:
    """defGetBoolean: an option without value is true."""
    arg = option.get("arg")
    if arg is None:
        return True
    if "Integer" in arg and arg["Integer"].get("ival", 0) in (0, 1):
        return bool(arg["Integer"].get("ival", 0))
    word = def_get_string(option).lower()
    if word in ("true", "on"):
        return True
    if word in ("false", "off"):
        return False
    raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a Boolean value")


def def_get_int(option: RawNode) -> int:
    """defGetInt32 and defGetInt64."""
    arg = option.get("arg")
    if arg is None:
        raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a numeric value")
    if "Integer" in arg:
        return int(arg["Integer"].get("ival", 0))
    if "Float" in arg:
        try:
            return int(arg["Float"]["fval"])
        except ValueError:
            pass
    raise PgError(SYNTAX_ERROR, f"{option['defname']} requires an integer value")


def def_get_numeric(option: RawNode) -> float:
    """defGetNumeric."""
    arg = option.get("arg")
    if arg is not None and ("Integer" in arg or "Float" in arg):
        return float(node_value(arg))
    raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a numeric value")


def def_get_qualified_name(option: RawNode) -> list[str]:
    """defGetQualifiedName."""
    arg = option.get("arg")
    if arg is None:
        raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a parameter")
    if "TypeName" in arg:
        return strings(arg["TypeName"].get("names"))
    if "List" in arg:
        return strings(arg["List"]["items"])
    if "String" in arg:
        return [sval(arg)]
    raise PgError(SYNTAX_ERROR, f"argument of {option['defname']} must be a name")


def def_get_type_name(option: RawNode) -> RawNode:
    """defGetTypeName: a TypeName body."""
    arg = option.get("arg")
    if arg is None:
        raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a parameter")
    if "TypeName" in arg:
        inner: RawNode = arg["TypeName"]
        return inner
    if "String" in arg:
        return {"names": [arg], "typemod": -1, "location": -1}
    raise PgError(SYNTAX_ERROR, f"argument of {option['defname']} must be a type name")


def def_get_type_length(option: RawNode) -> int:
    """defGetTypeLength: a number, or the word variable (-1)."""
    arg = option.get("arg")
    if arg is None:
        raise PgError(SYNTAX_ERROR, f"{option['defname']} requires a parameter")
    if "Integer" in arg:
        return int(arg["Integer"].get("ival", 0))
    if "Float" in arg:
        raise PgError(SYNTAX_ERROR, f"{option['defname']} requires an integer value")
    word = def_get_string(option)
    if word.lower() == "variable":
        return -1
    raise PgError(SYNTAX_ERROR, f'invalid argument for {option["defname"]}: "{word}"')


def error_conflicting_def_elem(option: RawNode) -> PgError:
    """errorConflictingDefElem, to be raised."""
    return PgError(
        SYNTAX_ERROR, "conflicting or redundant options", location=option.get("location", -1)
    )


def list_items(node: RawNode | None) -> list[RawNode]:
    """The items of a List node, or of a plain list."""
    if node is None:
        return []
    if isinstance(node, list):
        return node
    if "List" in node:
        items: list[RawNode] = node["List"].get("items", [])
        return items
    return [node]


def quote_identifier(name: str) -> str:
    """quote_identifier, for messages and for commands that PostgreSQL composes."""
    plain = name and (name[0].isalpha() or name[0] == "_") and name == name.lower()
    if plain and all(c.isalnum() or c == "_" for c in name) and name.isascii():
        from pgemu.catalog.keywords import is_reserved_for_quoting

        if not is_reserved_for_quoting(name):
            return name
    return '"' + name.replace('"', '""') + '"'
