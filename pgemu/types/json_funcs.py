"""json and jsonb operators and functions (PostgreSQL: jsonfuncs.c, jsonb_op.c).

jsonb bodies work on Python values (json_parse.load_jsonb keeps the last documents parsed);
json bodies cut slices from the text, because json keeps its spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import NoneType
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.arrays_value import array_bounds, load_flat
from pgemu.types.json_parse import (
    check_escapes,
    dump_jsonb,
    encode_string,
    json_kind,
    jsonb_text,
    load_jsonb,
    ordered,
    scalar_text,
    split_array,
    split_object,
)


def refuse(message: str) -> PgError:
    return PgError(INVALID_PARAMETER_VALUE, message)


# ---- -> ->> #> #>>


def jsonb_field(value: Any, key: str) -> tuple[bool, Any]:
    if type(value) is dict and key in value:
        return True, value[key]
    return False, None


def jsonb_item(value: Any, index: int) -> tuple[bool, Any]:
    if type(value) is list:
        if -len(value) <= index < len(value):
            return True, value[index]
    elif type(value) is not dict and index in (0, -1):
        return True, value  # a scalar at the top is an array of one element
    return False, None


@pg_function("jsonb_object_field(jsonb, text)")
def jsonb_object_field(doc: str, key: str) -> str | None:
    found, value = jsonb_field(load_jsonb(doc), key)
    return dump_jsonb(value) if found else None


@pg_function("jsonb_object_field_text(jsonb, text)")
def jsonb_object_field_text(doc: str, key: str) -> str | None:
    return jsonb_text(jsonb_field(load_jsonb(doc), key)[1])


@pg_function("jsonb_array_element(jsonb, int4)")
def jsonb_array_element(doc: str, index: int) -> str | None:
    found, value = jsonb_item(load_jsonb(doc), index)
    return dump_jsonb(value) if found else None


@pg_function("jsonb_array_element_text(jsonb, int4)")
def jsonb_array_element_text(doc: str, index: int) -> str | None:
    return jsonb_text(jsonb_item(load_jsonb(doc), index)[1])


def path_index(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[+-]?\d+", text) and abs(int(text)) < 2**31 else None


def jsonb_path(doc: str, path: str) -> tuple[bool, Any]:
    value = load_jsonb(doc)
    for step in load_flat(path):
        if step is None:
            return False, None
        if type(value) is dict:
            found, value = jsonb_field(value, step)
        else:
            index = path_index(step) if type(value) is list else None
            found, value = (False, None) if index is None else jsonb_item(value, index)
        if not found:
            return False, None
    return True, value


@pg_function("jsonb_extract_path(jsonb, _text)")
def jsonb_extract_path(doc: str, path: str) -> str | None:
    found, value = jsonb_path(doc, path)
    return dump_jsonb(value) if found else None


@pg_function("jsonb_extract_path_text(jsonb, _text)")
def jsonb_extract_path_text(doc: str, path: str) -> str | None:
    return jsonb_text(jsonb_path(doc, path)[1])


def json_field(doc: str, key: str) -> str | None:
    check_escapes(doc)
    if json_kind(doc) != "object":
        return None
    result = None
    for name, value in split_object(doc):
        if name == key:
            result = value
    return result


def json_item(doc: str, index: int) -> str | None:
    check_escapes(doc)
    if json_kind(doc) != "array":
        return None
    parts = split_array(doc)
    return parts[index] if -len(parts) <= index < len(parts) else None


def _as_text(slice_: str | None) -> str | None:
    return None if slice_ is None else scalar_text(slice_)


pg_function("json_object_field(json, text)")(json_field)
pg_function("json_array_element(json, int4)")(json_item)


@pg_function("json_object_field_text(json, text)")
def json_object_field_text(doc: str, key: str) -> str | None:
    return _as_text(json_field(doc, key))


@pg_function("json_array_element_text(json, int4)")
def json_array_element_text(doc: str, index: int) -> str | None:
    return _as_text(json_item(doc, index))


@pg_function("json_extract_path(json, _text)")
def json_extract_path(doc: str, path: str) -> str | None:
    check_escapes(doc)
    value: str | None = doc
    for step in load_flat(path):
        if value is None or step is None:
            return None
        if json_kind(value) == "object":
            value = json_field(value, step)
        else:
            index = path_index(step)
            value = None if index is None else json_item(value, index)
    return value


@pg_function("json_extract_path_text(json, _text)")
def json_extract_path_text(doc: str, path: str) -> str | None:
    value = json_extract_path(doc, path)
    return _as_text(value.strip(" \t\r\n")) if value is not None else None


# ---- containment and existence


def equal_scalar(a: Any, b: Any) -> bool:
    return (type(a) is bool) == (type(b) is bool) and bool(a == b)


def contains(a: Any, b: Any) -> bool:
    """JsonbDeepContains: b's structure is found in a."""
    if type(b) is dict:
        if type(a) is not dict or len(a) < len(b):
            return False
        for key, value in b.items():
            if key not in a:
                return False
            mine = a[key]
            if type(value) in (dict, list):
                if type(mine) is not type(value) or not contains(mine, value):
                    return False
            elif type(mine) in (dict, list) or not equal_scalar(mine, value):
                return False
        return True
    if type(b) is list:
        if type(a) is not list:
            return False
        for value in b:
            if type(value) in (dict, list):
                if not any(type(m) is type(value) and contains(m, value) for m in a):
                    return False
            elif not any(type(m) not in (dict, list) and equal_scalar(m, value) for m in a):
                return False
        return True
    return equal_scalar(a, b)


@pg_function("jsonb_contains(jsonb, jsonb)")
def jsonb_contains(a: str, b: str) -> bool:
    left, right = load_jsonb(a), load_jsonb(b)
    if type(left) is list and type(right) not in (dict, list):
        return contains(left, [right])
    if type(left) is not type(right) and dict in (type(left), type(right)):
        return False
    return contains(left, right)


def contained_text(part: Any) -> str:
    """The longest text that stands in every jsonb which contains this one: a key with its value,
    a key or an element.  Numbers are left out: equal ones may have another scale."""
    if type(part) is list:
        return max(map(contained_text, part), key=len, default="")
    if type(part) is not dict:
        return dump_jsonb(part) if type(part) in (str, bool, NoneType) else ""
    found = ""
    for key, value in part.items():
        text = encode_string(key) + ":"
        if type(value) in (str, bool, NoneType):
            text += " " + dump_jsonb(value)
        found = max(found, text, contained_text(value), key=len)
    return found


@pg_function("jsonb_contained(jsonb, jsonb)")
def jsonb_contained(a: str, b: str) -> bool:
    return jsonb_contains(b, a)


def exists(value: Any, key: str) -> bool:
    if type(value) is dict or type(value) is list:
        return key in value
    return type(value) is str and value == key


@pg_function("jsonb_exists(jsonb, text)")
def jsonb_exists(doc: str, key: str) -> bool:
    return exists(load_jsonb(doc), key)


@pg_function("jsonb_exists_any(jsonb, _text)")
def jsonb_exists_any(doc: str, keys: str) -> bool:
    value = load_jsonb(doc)
    return any(exists(value, key) for key in load_flat(keys) if key is not None)


@pg_function("jsonb_exists_all(jsonb, _text)")
def jsonb_exists_all(doc: str, keys: str) -> bool:
    value = load_jsonb(doc)
    return all(exists(value, key) for key in load_flat(keys) if key is not None)


# ---- || - #-


@pg_function("jsonb_concat(jsonb, jsonb)")
def jsonb_concat(a: str, b: str) -> str:
    left, right = load_jsonb(a), load_jsonb(b)
    if type(left) is dict and type(right) is dict:
        return dump_jsonb(ordered([*left.items(), *right.items()]))
    first = left if type(left) is list else [left]
    second = right if type(right) is list else [right]
    return dump_jsonb([*first, *second])


@pg_function("jsonb_delete(jsonb, text)")
def jsonb_delete(doc: str, key: str) -> str:
    value = load_jsonb(doc)
    if type(value) is dict:
        return dump_jsonb({k: v for k, v in value.items() if k != key})
    if type(value) is list:
        return dump_jsonb([one for one in value if not (type(one) is str and one == key)])
    raise refuse("cannot delete from scalar")


@pg_function("jsonb_delete(jsonb, _text)")
def jsonb_delete_array(doc: str, keys: str) -> str:
    if len(array_bounds(keys)[1]) > 1:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    value = load_jsonb(doc)
    if type(value) not in (dict, list):
        raise refuse("cannot delete from scalar")
    gone = {key for key in load_flat(keys) if key is not None}
    if type(value) is dict:
        return dump_jsonb({k: v for k, v in value.items() if k not in gone})
    return dump_jsonb([one for one in value if not (type(one) is str and one in gone)])


@pg_function("jsonb_delete(jsonb, int4)")
def jsonb_delete_idx(doc: str, index: int) -> str:
    value = load_jsonb(doc)
    if type(value) is dict:
        raise refuse("cannot delete from object using integer index")
    if type(value) is not list:
        raise refuse("cannot delete from scalar")
    if index < 0:
        index += len(value)
    return dump_jsonb([one for i, one in enumerate(value) if i != index])


def array_position_of(step: str, number: int) -> int:
    index = path_index(step)
    if index is None:
        raise PgError(
            INVALID_TEXT_REPRESENTATION,
            f'path element at position {number} is not an integer: "{step}"',
        )
    return index


NULL_STEP = "path element at position {} is null"


def set_path(value: Any, path: list[Any], level: int, op: str, new: Any) -> Any:
    """setPath: op is "delete", "replace", "create", "insert" or "insert_after"."""
    step = path[level]
    if step is None:
        raise PgError("22004", NULL_STEP.format(level + 1))
    last = level + 1 == len(path)
    if type(value) is dict:
        if step in value:
            if not last:
                child = set_path(value[step], path, level + 1, op, new)
                return {k: (child if k == step else v) for k, v in value.items()}
            if op == "delete":
                return {k: v for k, v in value.items() if k != step}
            if op.startswith("insert"):
                raise refuse_existing()
            return {k: (new if k == step else v) for k, v in value.items()}
        if last and op in ("create", "insert", "insert_after"):
            return ordered([*value.items(), (step, new)])
        return value
    if type(value) is not list:
        return value
    index = array_position_of(step, level + 1)
    size = len(value)
    position = index + size if index < 0 else index
    if 0 <= position < size:
        if not last:
            child = set_path(value[position], path, level + 1, op, new)
            return [*value[:position], child, *value[position + 1 :]]
        middle = {
            "delete": [],
            "replace": [new],
            "create": [new],
            "insert": [new, value[position]],
            "insert_after": [value[position], new],
        }[op]
        return [*value[:position], *middle, *value[position + 1 :]]
    if last and op in ("create", "insert", "insert_after"):
        return [new, *value] if position < 0 else [*value, new]
    return value


def refuse_existing() -> PgError:
    return PgError(
        INVALID_PARAMETER_VALUE,
        "cannot replace existing key",
        hint="Try using the function jsonb_set to replace key value.",
    )


def check_path(path: str) -> list[Any]:
    if len(array_bounds(path)[0]) > 1:
        raise PgError("2202E", "wrong number of array subscripts")
    return load_flat(path)


@pg_function("jsonb_delete_path(jsonb, _text)")
def jsonb_delete_path(doc: str, path: str) -> str:
    steps = check_path(path)
    value = load_jsonb(doc)
    if type(value) not in (dict, list):
        raise refuse("cannot delete path in scalar")
    return dump_jsonb(set_path(value, steps, 0, "delete", None)) if value and steps else doc


@pg_function("jsonb_set(jsonb, _text, jsonb, bool)")
def jsonb_set(doc: str, path: str, new: str, create: int) -> str:
    steps = check_path(path)
    value = load_jsonb(doc)
    if type(value) not in (dict, list):
        raise refuse("cannot set path in scalar")
    if (not value and not create) or not steps:
        return doc
    return dump_jsonb(set_path(value, steps, 0, "create" if create else "replace", load_jsonb(new)))


@pg_function("jsonb_set_lax(jsonb, _text, jsonb, bool, text)")
def jsonb_set_lax(
    doc: str | None, path: str | None, new: str | None, create: int | None, treatment: str | None
) -> str | None:
    if doc is None or path is None or create is None:
        return None
    if treatment is None:
        raise refuse(
            'null_value_treatment must be "delete_key", "return_target", "use_json_null", or '
            '"raise_exception"'
        )
    if new is not None:
        return jsonb_set(doc, path, new, create)
    if treatment == "raise_exception":
        raise PgError(
            "22004",
            "JSON value must not be null",
            detail='Exception was raised because null_value_treatment is "raise_exception".',
            hint="To avoid, either change the null_value_treatment argument or ensure that an SQL "
            "NULL is not passed.",
        )
    if treatment == "use_json_null":
        return jsonb_set(doc, path, "null", create)
    if treatment == "delete_key":
        return jsonb_delete_path(doc, path)
    if treatment == "return_target":
        return doc
    raise refuse(
        'null_value_treatment must be "delete_key", "return_target", "use_json_null", or '
        '"raise_exception"'
    )


@pg_function("jsonb_insert(jsonb, _text, jsonb, bool)")
def jsonb_insert(doc: str, path: str, new: str, after: int) -> str:
    steps = check_path(path)
    value = load_jsonb(doc)
    if type(value) not in (dict, list):
        raise refuse("cannot set path in scalar")
    if not steps:
        return doc
    op = "insert_after" if after else "insert"
    return dump_jsonb(set_path(value, steps, 0, op, load_jsonb(new)))


# ---- taking apart


@pg_function("jsonb_typeof(jsonb)", "json_typeof(json)")
def jsonb_typeof(doc: str) -> str:
    return json_kind(doc)


@pg_function("jsonb_array_length(jsonb)")
def jsonb_array_length(doc: str) -> int:
    value = load_jsonb(doc)
    if type(value) is not list:
        kind = "non-array" if type(value) is dict else "scalar"
        raise refuse(f"cannot get array length of a {kind}")
    return len(value)


@pg_function("json_array_length(json)")
def json_array_length(doc: str) -> int:
    kind = json_kind(doc)
    if kind != "array":
        raise refuse(
            f"cannot get array length of a {'non-array' if kind == 'object' else 'scalar'}"
        )
    return len(split_array(doc))


def _elements(doc: str) -> list[Any]:
    value = load_jsonb(doc)
    if type(value) is not list:
        what = "an object" if type(value) is dict else "a scalar"
        raise refuse(f"cannot extract elements from {what}")
    return value


@pg_function("jsonb_array_elements(jsonb)")
def jsonb_array_elements(doc: str) -> Iterator[str]:
    for one in _elements(doc):
        yield dump_jsonb(one)


@pg_function("jsonb_array_elements_text(jsonb)")
def jsonb_array_elements_text(doc: str) -> Iterator[str | None]:
    for one in _elements(doc):
        yield jsonb_text(one)


def _json_elements(doc: str, name: str) -> list[str]:
    kind = json_kind(doc)
    if kind != "array":
        raise refuse(f"cannot call {name} on a {'non-array' if kind == 'object' else 'scalar'}")
    return split_array(doc)


@pg_function("json_array_elements(json)")
def json_array_elements(doc: str) -> Iterator[str]:
    yield from _json_elements(doc, "json_array_elements")


@pg_function("json_array_elements_text(json)")
def json_array_elements_text(doc: str) -> Iterator[str | None]:
    check_escapes(doc)
    for one in _json_elements(doc, "json_array_elements_text"):
        yield scalar_text(one)


def _object(doc: str, name: str) -> dict[str, Any]:
    value = load_jsonb(doc)
    if type(value) is not dict:
        raise refuse(f"cannot call {name} on a non-object")
    return value


@pg_function("jsonb_each(jsonb)")
def jsonb_each(doc: str) -> Iterator[tuple[str, str]]:
    for key, value in _object(doc, "jsonb_each").items():
        yield key, dump_jsonb(value)


@pg_function("jsonb_each_text(jsonb)")
def jsonb_each_text(doc: str) -> Iterator[tuple[str, str | None]]:
    for key, value in _object(doc, "jsonb_each_text").items():
        yield key, jsonb_text(value)


def _json_pairs(doc: str) -> list[tuple[str, str]]:
    kind = json_kind(doc)
    if kind == "array":
        raise refuse("cannot deconstruct an array as an object")
    if kind != "object":
        raise refuse("cannot deconstruct a scalar")
    check_escapes(doc)
    return split_object(doc)


@pg_function("json_each(json)")
def json_each(doc: str) -> Iterator[tuple[str, str]]:
    yield from _json_pairs(doc)


@pg_function("json_each_text(json)")
def json_each_text(doc: str) -> Iterator[tuple[str, str | None]]:
    for key, value in _json_pairs(doc):
        yield key, scalar_text(value)


@pg_function("jsonb_object_keys(jsonb)")
def jsonb_object_keys(doc: str) -> Iterator[str]:
    value = load_jsonb(doc)
    if type(value) is not dict:
        what = "an array" if type(value) is list else "a scalar"
        raise refuse(f"cannot call jsonb_object_keys on {what}")
    yield from value


@pg_function("json_object_keys(json)")
def json_object_keys(doc: str) -> Iterator[str]:
    kind = json_kind(doc)
    if kind != "object":
        what = "an array" if kind == "array" else "a scalar"
        raise refuse(f"cannot call json_object_keys on {what}")
    check_escapes(doc)
    for key, _ in split_object(doc):
        yield key


# ---- reshaping


def strip_nulls(value: Any) -> Any:
    if type(value) is dict:
        return {k: strip_nulls(v) for k, v in value.items() if v is not None}
    if type(value) is list:
        return [strip_nulls(one) for one in value]
    return value


@pg_function("jsonb_strip_nulls(jsonb)")
def jsonb_strip_nulls(doc: str) -> str:
    return dump_jsonb(strip_nulls(load_jsonb(doc)))


@pg_function("json_strip_nulls(json)")
def json_strip_nulls(doc: str) -> str:
    kind = json_kind(doc)
    if kind == "object":
        kept = [(k, v) for k, v in split_object(doc) if v != "null"]
        return "{" + ",".join(f"{encode_string(k)}:{json_strip_nulls(v)}" for k, v in kept) + "}"
    if kind == "array":
        return "[" + ",".join(json_strip_nulls(one) for one in split_array(doc)) + "]"
    text = doc.strip(" \t\r\n")
    return encode_string(scalar_text(text) or "") if kind == "string" else text


def pretty(value: Any, indent: int) -> str:
    lead = " " * (indent + 4)
    if type(value) is dict and value:
        body = ",\n".join(
            f"{lead}{encode_string(k)}: {pretty(v, indent + 4)}" for k, v in value.items()
        )
        return f"{{\n{body}\n{' ' * indent}}}"
    if type(value) is list and value:
        body = ",\n".join(lead + pretty(one, indent + 4) for one in value)
        return f"[\n{body}\n{' ' * indent}]"
    if type(value) is dict:
        return f"{{\n{' ' * indent}}}"
    return f"[\n{' ' * indent}]" if type(value) is list else dump_jsonb(value)


@pg_function("jsonb_pretty(jsonb)")
def jsonb_pretty(doc: str) -> str:
    return pretty(load_jsonb(doc), 0)
