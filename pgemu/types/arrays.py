"""ArrayType: array_in, array_out, array_recv, array_send; int2vector and oidvector.

Counterpart: arrayfuncs.c and int.c/oid.c for the vectors.  The text is scanned by a state
machine with ArrayCount's states, because its DETAIL texts depend on them; the plain forms
without quotes take a short path.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    DATATYPE_MISMATCH,
    INVALID_BINARY_REPRESENTATION,
    INVALID_TEXT_REPRESENTATION,
    PROGRAM_LIMIT_EXCEEDED,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.arrays_value import (
    MAXDIM,
    check_size,
    dimensions,
    dump_array,
    flatten,
    load_array,
    load_flat,
    reshape,
)
from pgemu.types.base import BaseType, base_types, register_type
from pgemu.types.domains import DomainType
from pgemu.types.pqformat import FIRST_GENBKI_OBJECT_ID, LeftOver, Message, shown_type

SPACE = " \t\n\v\f\r"
_SIMPLE = re.compile(r"\{([^{}\"\\]*)\}")
_DIMENSIONS = re.compile(r"\s*\[\s*([+-]?\d+)?\s*(:)?\s*([+-]?\d+)?\s*(\])?")


def malformed(text: str, detail: str) -> PgError:
    return PgError(INVALID_TEXT_REPRESENTATION, f'malformed array literal: "{text}"', detail=detail)


def parse_bounds(text: str) -> tuple[list[int], list[int], int]:
    """[l:u][l:u]...= in front of an array: (lower bounds, sizes, end)."""
    lower: list[int] = []
    sizes: list[int] = []
    at = 0
    while text[at:].lstrip(SPACE).startswith("["):
        if len(lower) >= MAXDIM:
            raise PgError(
                PROGRAM_LIMIT_EXCEEDED,
                f"number of array dimensions ({len(lower) + 1}) exceeds the maximum allowed "
                f"({MAXDIM})",
            )
        found = _DIMENSIONS.match(text, at)
        assert found is not None
        first, colon, second, close = found.groups()
        if first is None:
            raise malformed(text, '"[" must introduce explicitly-specified array dimensions.')
        if colon and second is None:
            raise malformed(text, "Missing array dimension value.")
        if not close:
            raise malformed(text, 'Missing "]" after array dimensions.')
        low, high = (int(first), int(second)) if second is not None else (1, int(first))
        if high < low:
            raise PgError(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound")
        lower.append(low)
        sizes.append(high - low + 1)
        at = found.end()
    rest = text[at:].lstrip(SPACE)
    if not lower:
        if not rest.startswith("{"):
            raise malformed(text, 'Array value must start with "{" or dimension information.')
        return lower, sizes, at
    if not rest.startswith("="):
        raise malformed(text, 'Missing "=" after array dimensions.')
    at = text.index("=", at) + 1
    if not text[at:].lstrip(SPACE).startswith("{"):
        raise malformed(text, 'Array contents must start with "{".')
    return lower, sizes, at


class Scanner:
    """The contents of one array literal: nested lists of raw texts, None for NULL."""

    def __init__(self, text: str, at: int, delimiter: str) -> None:
        self.text = text
        self.at = at
        self.delimiter = delimiter
        self.stack: list[list[Any]] = []
        self.result: list[Any] | None = None
        self.state = "start"

    def fail(self, detail: str) -> PgError:
        return malformed(self.text, detail)

    def scan(self) -> list[Any]:
        text, end = self.text, len(self.text)
        while self.at < end and self.result is None:
            char = text[self.at]
            if char in SPACE:
                self.at += 1
            elif char == "{":
                self.open()
            elif char == "}":
                self.close()
            elif char == self.delimiter:
                self.delimit()
            else:
                self.element()
        if self.result is None:
            raise self.fail("Unexpected end of input.")
        if text[self.at :].strip(SPACE):
            raise self.fail("Junk after closing right brace.")
        return self.result

    def open(self) -> None:
        if self.state not in ("start", "level_started", "level_delimited"):
            raise self.fail('Unexpected "{" character.')
        new: list[Any] = []
        if self.stack:
            self.stack[-1].append(new)
        self.stack.append(new)
        if len(self.stack) > MAXDIM:
            raise PgError(
                PROGRAM_LIMIT_EXCEEDED,
                f"number of array dimensions ({len(self.stack)}) exceeds the maximum allowed "
                f"({MAXDIM})",
            )
        self.state = "level_started"
        self.at += 1

    def close(self) -> None:
        empty = self.state == "level_started" and len(self.stack) == 1
        if self.state not in ("element", "level_completed") and not empty:
            raise self.fail('Unexpected "}" character.')
        done = self.stack.pop()
        self.at += 1
        self.state = "level_completed"
        if not self.stack:
            self.result = done

    def delimit(self) -> None:
        if self.state == "element":
            self.state = "delimited"
        elif self.state == "level_completed":
            self.state = "level_delimited"
        else:
            raise self.fail(f'Unexpected "{self.delimiter}" character.')
        self.at += 1

    def element(self) -> None:
        if self.state not in ("level_started", "delimited"):
            if self.text[self.at] == "\\":
                raise self.fail('Unexpected "\\" character.')
            raise self.fail("Unexpected array element.")
        text, at, end = self.text, self.at, len(self.text)
        out: list[str] = []
        quoted = escaped = False
        if text[at] == '"':
            quoted = True
            at += 1
            while True:
                if at >= end:
                    raise self.fail("Unexpected end of input.")
                char = text[at]
                if char == '"':
                    break
                if char == "\\":
                    at += 1
                    if at >= end:
                        raise self.fail("Unexpected end of input.")
                    char = text[at]
                out.append(char)
                at += 1
            at += 1
            while at < end and text[at] in SPACE:
                at += 1
            if at < end and text[at] not in ("}", self.delimiter):
                if text[at] == "{":
                    raise self.fail('Unexpected "{" character.')
                raise self.fail("Unexpected array element.")
        else:
            keep = 0
            while at < end and text[at] not in ("{", "}", '"', self.delimiter):
                char = text[at]
                if char == "\\":
                    escaped = True
                    at += 1
                    if at >= end:
                        raise self.fail("Unexpected end of input.")
                    out.append(text[at])
                    keep = len(out)
                else:
                    out.append(char)
                    if char not in SPACE:
                        keep = len(out)
                at += 1
            if at < end and text[at] == '"':
                raise self.fail("Unexpected array element.")
            del out[keep:]
        value = "".join(out)
        null = not quoted and not escaped and value.upper() == "NULL"
        self.stack[-1].append(None if null else value)
        self.at = at
        self.state = "element"


def check_shape(text: str, value: list[Any]) -> list[int]:
    """The sizes of nested lists that must be regular."""
    sizes = dimensions(value)

    def check(part: Any, level: int) -> None:
        if level == len(sizes):
            if isinstance(part, list):
                raise ragged(text)
            return
        if not isinstance(part, list) or len(part) != sizes[level]:
            raise ragged(text)
        for one in part:
            check(one, level + 1)

    if sizes:
        check(value, 0)
    return sizes


def ragged(text: str) -> PgError:
    return malformed(text, "Multidimensional arrays must have sub-arrays with matching dimensions.")


def all_empty(value: list[Any]) -> bool:
    return all(isinstance(one, list) and all_empty(one) for one in value)


def quote_element(text: str, delimiter: str) -> str:
    """An element's text, quoted if array_in would read it otherwise."""
    if not text or text.upper() == "NULL" or _needs_quote(text, delimiter):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


_SPECIAL = re.compile(r'["\\{}\s,]')
_SPECIAL_NO_COMMA = re.compile(r'["\\{}\s;]')


def _needs_quote(text: str, delimiter: str) -> bool:
    pattern = _SPECIAL if delimiter == "," else _SPECIAL_NO_COMMA
    found = pattern.search(text)
    while found is not None:
        if found[0] in SPACE or not found[0].isspace():
            return True
        found = pattern.search(text, found.end())
    return False


class ArrayType(BaseType):
    """Arrays of one element type."""

    collation = "array_ops"

    def __init__(self, element: BaseType, delimiter: str = ",", element_oid: int = 0) -> None:
        self.element = element
        self.delimiter = delimiter
        self.element_oid = element_oid
        self.name = "_" + element.name

    def compare(self, a: Any, b: Any) -> int:
        return compare_arrays(a, b, self.element.compare)

    def hash_key(self, value: Any) -> Any:
        elements, lower = load_array(value)
        key = self.element.hash_key
        flat = tuple(None if one is None else key(one) for one in flatten(elements))
        return tuple(lower), tuple(dimensions(elements)), flat

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        read = self.element.input
        found = _SIMPLE.fullmatch(text)
        if found is not None and found[1].strip(SPACE):
            parts = [part.strip(SPACE) for part in found[1].split(self.delimiter)]
            if all(parts):
                return dump_array(
                    [
                        self._null(ctx) if p.upper() == "NULL" else read(p, typmod, ctx)
                        for p in parts
                    ]
                )
        lower, declared, at = parse_bounds(text)
        contents = text[at:].lstrip(SPACE)
        raw = Scanner(contents, 0, self.delimiter).scan()
        if all_empty(raw):
            if declared:
                raise malformed(text, "Specified array dimensions do not match array contents.")
            return "[]"
        sizes = check_shape(contents, raw)
        if declared and sizes != declared:
            raise malformed(text, "Specified array dimensions do not match array contents.")
        if declared:
            check_size(sizes, lower)
        values = [
            self._null(ctx) if one is None else read(one, typmod, ctx) for one in flatten(raw)
        ]
        return dump_array(reshape(values, sizes), lower or None)

    def _null(self, ctx: CallContext) -> Any:
        """A NULL element, which a domain may refuse."""
        return self.element.check(None, ctx) if isinstance(self.element, DomainType) else None

    def output(self, value: Any, ctx: CallContext) -> str:
        elements, lower = load_array(value)
        if not elements:
            return "{}"
        write, delimiter = self.element.output, self.delimiter
        decode = bytes.fromhex if self.element.storage == "blob" else None

        def show(one: Any) -> str:
            if isinstance(one, list):
                return "{" + delimiter.join([show(inner) for inner in one]) + "}"
            if one is None:
                return "NULL"
            if decode is not None:
                one = decode(one)
            return quote_element(write(one, ctx), delimiter)

        text = show(elements)
        if any(one != 1 for one in lower):
            sizes = dimensions(elements)
            bounds = "".join(
                f"[{low}:{low + size - 1}]" for low, size in zip(lower, sizes, strict=True)
            )
            text = f"{bounds}={text}"
        return text

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        message = Message(data)
        ndim = message.integer(4)
        if ndim < 0:
            raise PgError(INVALID_BINARY_REPRESENTATION, f"invalid number of dimensions: {ndim}")
        if ndim > MAXDIM:
            raise PgError(
                PROGRAM_LIMIT_EXCEEDED,
                f"number of array dimensions ({ndim}) exceeds the maximum allowed ({MAXDIM})",
            )
        if message.integer(4) not in (0, 1):
            raise PgError(INVALID_BINARY_REPRESENTATION, "invalid array flags")
        self.check_received(message.integer(4, signed=False), ctx)
        sizes, lower = [], []
        for _ in range(ndim):
            sizes.append(message.integer(4))
            lower.append(message.integer(4))
        count = check_size(sizes, lower)
        values = [self.recv_element(message, n, typmod, ctx) for n in range(1, count + 1)]
        message.end()
        return dump_array(reshape(values, sizes), lower) if values else "[]"

    def check_received(self, oid: int, ctx: CallContext) -> None:
        """The sender's OIDs of types that are not built in may be others than ours."""
        expected = self.element_oid or element_oid(self.element, ctx)
        if oid != expected and oid < FIRST_GENBKI_OBJECT_ID > expected:
            raise PgError(
                DATATYPE_MISMATCH,
                f"binary data has array element type {oid} ({shown_type(oid, ctx)}) instead of "
                f"expected {expected} ({shown_type(expected, ctx)})",
            )

    def recv_element(self, message: Message, number: int, typmod: int, ctx: CallContext) -> Value:
        length = message.integer(4)
        if not -1 <= length <= message.left:
            raise PgError(INVALID_BINARY_REPRESENTATION, "insufficient data left in message")
        if length < 0:
            return None
        try:
            return self.element.recv(message.take(length), typmod, ctx)
        except LeftOver as error:
            raise error.said(f"improper binary format in array element {number}") from None

    def send(self, value: Any, ctx: CallContext) -> bytes:
        elements, lower = load_array(value)
        sizes = dimensions(elements)
        flat = list(flatten(elements))
        decode = bytes.fromhex if self.element.storage == "blob" else None
        encode: Callable[[Any], bytes] = self.element.binary_encoder(ctx)
        oid = self.element_oid or element_oid(self.element, ctx)
        out = [struct.pack("!iiI", len(sizes), int(None in flat), oid)]
        for size, low in zip(sizes, lower, strict=True):
            out.append(struct.pack("!ii", size, low))
        for one in flat:
            if one is None:
                out.append(b"\xff\xff\xff\xff")
                continue
            data = encode(decode(one) if decode is not None else one)
            out.append(struct.pack("!i", len(data)))
            out.append(data)
        return b"".join(out)

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        return self.element.typmod_in(args, ctx)

    def typmod_out(self, typmod: int) -> str:
        return self.element.typmod_out(typmod)


def element_oid(element: BaseType, ctx: CallContext) -> int:
    """The OID of an element type for the binary form."""
    if ctx.catalog is None:
        return 0
    rows = ctx.catalog.types.rows
    for row in ctx.catalog.all(rows.PgType, typname=element.name):
        return int(row.oid)
    return 0


def compare_arrays(a: str, b: str, compare: Callable[[Any, Any], int]) -> int:
    """array_cmp: elements first (NULL is last), then their count, dimensions, sizes, bounds."""
    if a == b:
        return 0
    left, left_bounds = load_array(a)
    right, right_bounds = load_array(b)
    flat_left, flat_right = list(flatten(left)), list(flatten(right))
    for x, y in zip(flat_left, flat_right, strict=False):
        if x is None or y is None:
            if x is y:
                continue
            return 1 if x is None else -1
        order = compare(x, y)
        if order:
            return order
    if len(flat_left) != len(flat_right):
        return -1 if len(flat_left) < len(flat_right) else 1
    key_left = (len(left_bounds), dimensions(left), left_bounds)
    key_right = (len(right_bounds), dimensions(right), right_bounds)
    return (key_left > key_right) - (key_left < key_right)


WORD = re.compile(r"[^ \t\n\v\f\r]+")


class VectorType(BaseType):
    """int2vector and oidvector: blanks between numbers, lower bound 0."""

    collation = "array_ops"

    def __init__(self, name: str, element: str) -> None:
        self.name = name
        self.element_name = element
        self.element_oid = 21 if element == "int2" else 26

    def compare(self, a: Any, b: Any) -> int:
        left, right = load_flat(a), load_flat(b)
        key_left, key_right = (len(left), left), (len(right), right)
        return (key_left > key_right) - (key_left < key_right)

    def hash_key(self, value: Any) -> Any:
        return tuple(load_flat(value))

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        element = base_types[self.element_name]
        return dump_array(
            [self.read(element, text, *part.span(), ctx) for part in WORD.finditer(text)]
        )

    def read(self, element: BaseType, text: str, start: int, end: int, ctx: CallContext) -> Value:
        """A number is read in place: an error shows the text up to its end."""
        try:
            return element.input(text[start:end], -1, ctx)
        except PgError as error:
            word, rest = f'"{text[start:end]}"', f'"{text[start:]}"'
            raise PgError(error.sqlstate, error.message.replace(word, rest)) from None

    def output(self, value: Any, ctx: CallContext) -> str:
        return " ".join(str(one) for one in load_flat(value))

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        elements, lower = load_array(self.array_type().recv(data, -1, ctx))
        if lower != [0] or None in elements:
            raise PgError(INVALID_BINARY_REPRESENTATION, f"invalid {self.name} data")
        return dump_array(elements)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        flat = load_flat(value)
        if not flat:
            return struct.pack("!iiIii", 1, 0, self.element_oid, 0, 0)
        return self.array_type().send(dump_array(flat, [0]), ctx)

    @property
    def element(self) -> BaseType:
        return base_types[self.element_name]

    def array_type(self) -> ArrayType:
        return ArrayType(base_types[self.element_name], ",", self.element_oid)


register_type(VectorType("int2vector", "int2"), VectorType("oidvector", "oid"))
