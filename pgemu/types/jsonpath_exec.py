"""Evaluation of jsonpath, and the jsonb_path_* functions (PostgreSQL: jsonpath_exec.c).

Predicates have three values: True, False and None (unknown).  Structural errors in strict mode
are PgErrors; inside filters they make the predicate unknown, with `silent` they are dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

from pgemu.errors import PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.datetime_format import encode_time, encode_timezone, iso_date, timestamp_encoder
from pgemu.types.datetime_types import (
    date_type,
    time_type,
    timestamp_type,
    timestamptz_type,
    timetz_parts,
    timetz_type,
)
from pgemu.types.json_parse import Num, dump_jsonb, load_jsonb, ordered
from pgemu.types.jsonpath import COMPARISONS, Node, Path, parse_jsonpath


class Datetime:
    """A value of .datetime(): its SQL type and storage value."""

    def __init__(self, kind: str, value: Any) -> None:
        self.kind = kind
        self.value = value

    def text(self) -> str:
        if self.kind == "date":
            return "".join(iso_date(self.value))
        if self.kind == "time without time zone":
            return encode_time(self.value)
        if self.kind == "time with time zone":
            usecs, zone = timetz_parts(self.value)
            offset = encode_timezone(-zone)
            return encode_time(usecs) + (offset if ":" in offset else offset + ":00")
        text = timestamp_encoder("ISO", "YMD")(self.value).replace(" ", "T")
        return text + "+00:00" if self.kind == "timestamp with time zone" else text


SQL_ERRORS = {"22030", "22031", "22032", "22033", "22034", "22035", "22036", "22037", "22038",
              "22039", "2203A", "2203B", "2203C", "2203D", "2203E", "2203F", "22012", "22003",
              "22007", "22008"}  # fmt: skip


def type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Datetime):
        return value.kind
    names = {bool: "boolean", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "number")


def is_number(value: Any) -> bool:
    return type(value) is int or isinstance(value, Decimal)


def normal(value: Any) -> Any:
    return value if type(value) is int else Num(value)


class Executor:
    def __init__(self, ctx: CallContext, path: Path, root: Any, variables: Any) -> None:
        self.ctx = ctx
        self.lax = path.lax
        self.root = root
        self.variables = variables
        self.last = -1
        self.ignore_structure = path.lax

    def unwrap(self, values: list[Any]) -> list[Any]:
        out: list[Any] = []
        for one in values:
            out.extend(one if type(one) is list else [one])
        return out

    def run(self, node: Node, current: Any) -> list[Any]:
        kind = node[0]
        if kind == "root":
            return [self.root]
        if kind == "current":
            return [current]
        if kind == "const":
            return [node[1]]
        if kind == "last":
            return [self.last]
        if kind == "var":
            if type(self.variables) is not dict or node[1] not in self.variables:
                raise PgError("42704", f'could not find jsonpath variable "{node[1]}"')
            return [self.variables[node[1]]]
        if kind in ("&&", "||", "!", "exists", "is_unknown", "starts", "like_regex", *COMPARISONS):
            return [self.predicate(node, current)]
        if kind in ("+", "-", "*", "/", "%"):
            return [self.arithmetic(node, current)]
        if kind in ("neg", "pos"):
            return self.sign(node, current)
        return self.accessor(node, current)

    def accessor(self, node: Node, current: Any) -> list[Any]:
        kind = node[0]
        values = self.run(node[1], current)
        if kind == "filter":
            if self.lax:
                values = self.unwrap(values)
            return [one for one in values if self.predicate(node[2], one) is True]
        if kind == "any":
            out: list[Any] = []
            for one in values:
                self.descend(one, 0, node[2], node[3], out)
            return out
        if kind == "any_array":
            return self.all_elements(values)
        if kind == "index":
            return [item for one in values for item in self.subscript(one, node[2], current)]
        if kind == "method":
            return self.method(node, values)
        if self.lax:
            values = self.unwrap(values)
        out = []
        for one in values:
            if kind == "any_key":
                if type(one) is dict:
                    out.extend(one.values())
                elif not self.ignore_structure:
                    raise PgError(
                        "2203C",
                        "jsonpath wildcard member accessor can only be applied to an object",
                    )
            elif type(one) is dict:
                if node[2] in one:
                    out.append(one[node[2]])
                elif not self.ignore_structure:
                    raise PgError("2203A", f'JSON object does not contain key "{node[2]}"')
            elif not self.ignore_structure:
                raise PgError("2203A", "jsonpath member accessor can only be applied to an object")
        return out

    def all_elements(self, values: list[Any]) -> list[Any]:
        out: list[Any] = []
        for one in values:
            if type(one) is list:
                out.extend(one)
            elif self.lax:
                out.append(one)
            else:
                raise PgError(
                    "22039", "jsonpath wildcard array accessor can only be applied to an array"
                )
        return out

    def descend(self, value: Any, level: int, low: int, high: int, out: list[Any]) -> None:
        """.**: values at the levels low..high; -1 is the level of the leaves."""
        leaf = type(value) not in (dict, list) or not value
        at_last = low == -1 and high == -1
        if at_last:
            if type(value) not in (dict, list):
                out.append(value)
        elif level >= low and (high == -1 or level <= high):
            out.append(value)
        if leaf or (high != -1 and level >= high):
            return
        for one in value.values() if type(value) is dict else value:
            self.descend(one, level + 1, low, high, out)

    def subscript(self, value: Any, parts: Any, current: Any) -> list[Any]:
        if type(value) is not list:
            if not self.lax:
                raise PgError("22039", "jsonpath array accessor can only be applied to an array")
            value = [value]
        saved, self.last = self.last, len(value) - 1
        out: list[Any] = []
        for low, high in parts:
            first = self.array_index(low, current)
            final = first if high is None else self.array_index(high, current)
            if not self.ignore_structure and (first < 0 or first > final or final >= len(value)):
                raise PgError("22033", "jsonpath array subscript is out of bounds")
            out.extend(value[max(first, 0) : final + 1] if final >= 0 else [])
        self.last = saved
        return out

    def array_index(self, node: Node, current: Any) -> int:
        found = self.run(node, current)
        if len(found) != 1 or not is_number(found[0]):
            raise PgError("22033", "jsonpath array subscript is not a single numeric value")
        return int(found[0])

    # ---- numbers

    def operand(self, node: Node, current: Any) -> list[Any]:
        values = self.run(node, current)
        return self.unwrap(values) if self.lax else values

    def arithmetic(self, node: Node, current: Any) -> Any:
        op = node[0]
        sides = []
        for which, one in (("left", node[1]), ("right", node[2])):
            found = self.operand(one, current)
            if len(found) != 1 or not is_number(found[0]):
                raise PgError(
                    "22038",
                    f"{which} operand of jsonpath operator {op} is not a single numeric value",
                )
            sides.append(found[0])
        a, b = sides
        if op in ("/", "%") and not b:
            raise PgError("22012", "division by zero")
        if op in ("+", "-", "*"):
            with localcontext() as context:
                context.prec = 2000
                result = a + b if op == "+" else a - b if op == "-" else a * b
            return normal(result)
        with localcontext() as context:
            context.prec = 2000
            if op == "%":
                result = Decimal(a) % Decimal(b)
                return int(result) if type(a) is int and type(b) is int else Num(result)
        from pgemu.fmgr import functions

        divide = functions["numeric_div(numeric,numeric)"].body
        return Num(divide(f"{Decimal(a):f}", f"{Decimal(b):f}"))

    def sign(self, node: Node, current: Any) -> list[Any]:
        out = []
        for one in self.operand(node[1], current):
            if not is_number(one):
                op = "-" if node[0] == "neg" else "+"
                raise PgError(
                    "2203B", f"operand of unary jsonpath operator {op} is not a numeric value"
                )
            out.append(normal(-one) if node[0] == "neg" else one)
        return out

    # ---- methods

    def method(self, node: Node, values: list[Any]) -> list[Any]:
        name = node[2]
        if name == "type":
            return [type_name(one) for one in values]
        if name == "size":
            return [self.size(one) for one in values]
        if self.lax:
            values = self.unwrap(values)
        if name == "keyvalue":
            return [pair for one in values for pair in self.keyvalue(one)]
        if name == "double":
            return [self.double(one) for one in values]
        if name == "datetime":
            return [self.datetime(one, node[3]) for one in values]
        out = []
        for one in values:
            if not is_number(one):
                raise PgError(
                    "22036",
                    f"jsonpath item method .{name}() can only be applied to a numeric value",
                )
            if name == "abs":
                out.append(normal(abs(one)))
            else:
                out.append(math.floor(one) if name == "floor" else math.ceil(one))
        return out

    def size(self, value: Any) -> int:
        if type(value) is list:
            return len(value)
        if not self.lax:
            raise PgError("22039", "jsonpath item method .size() can only be applied to an array")
        return 1

    def keyvalue(self, value: Any) -> list[Any]:
        if type(value) is not dict:
            raise PgError(
                "2203C", "jsonpath item method .keyvalue() can only be applied to an object"
            )
        return [ordered([("id", 0), ("key", k), ("value", v)]) for k, v in value.items()]

    def double(self, value: Any) -> Any:
        if is_number(value) or type(value) is str:
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if math.isfinite(number):
                text = repr(number)
                return int(number) if number.is_integer() else Num(text)
            kind = "string" if type(value) is str else "numeric"
            raise PgError(
                "22036",
                f"{kind} argument of jsonpath item method .double() is not a valid "
                "representation of a double precision number",
            )
        raise PgError(
            "22036",
            "jsonpath item method .double() can only be applied to a string or numeric value",
        )

    def datetime(self, value: Any, template: str | None) -> Datetime:
        if type(value) is not str:
            raise PgError(
                "22031", "jsonpath item method .datetime() can only be applied to a string"
            )
        if template is not None:
            from pgemu.types.formatting_input import to_date, to_timestamp

            if re.search("hh|mi|ss", template, re.I):
                kind = "timestamp without time zone"
                return Datetime(kind, to_timestamp(CallContext(), value, template))
            return Datetime("date", to_date(value, template))
        iso_time = r"\d\d:\d\d:\d\d(\.\d+)?"
        zone = r"\s*[+-]\d\d(:?\d\d)?"
        for pattern, kind, io in (
            (r"\d{4}-\d\d-\d\d", "date", date_type),
            (rf"{iso_time}{zone}", "time with time zone", timetz_type),
            (iso_time, "time without time zone", time_type),
            (
                rf"\d{{4}}-\d\d-\d\d[ T]{iso_time}{zone}",
                "timestamp with time zone",
                timestamptz_type,
            ),
            (rf"\d{{4}}-\d\d-\d\d[ T]{iso_time}", "timestamp without time zone", timestamp_type),
        ):
            if re.fullmatch(pattern, value):
                return Datetime(kind, io.input(value, -1, self.ctx))
        raise PgError(
            "22031",
            f'datetime format is not recognized: "{value}"',
            hint="Use a datetime template argument to specify the input data format.",
        )

    # ---- predicates

    def predicate(self, node: Node, current: Any) -> bool | None:
        kind = node[0]
        if kind == "&&":
            left = self.predicate(node[1], current)
            if left is False:
                return False
            right = self.predicate(node[2], current)
            return right if left is True or right is False else None
        if kind == "||":
            left = self.predicate(node[1], current)
            if left is True:
                return True
            right = self.predicate(node[2], current)
            return right if left is False or right is True else None
        if kind == "!":
            inner = self.predicate(node[1], current)
            return None if inner is None else not inner
        if kind == "is_unknown":
            return self.predicate(node[1], current) is None
        try:
            if kind == "exists":
                return bool(self.run(node[1], current))
            if kind in COMPARISONS or kind in ("starts", "like_regex"):
                return self.pairs(node, current)
        except PgError as error:
            if error.sqlstate in SQL_ERRORS:
                return None
            raise
        found = self.run(node, current)
        return found[0] if len(found) == 1 and type(found[0]) is bool else None

    def pairs(self, node: Node, current: Any) -> bool | None:
        left = self.operand(node[1], current)
        if node[0] == "like_regex":
            right: list[Any] = [None]
        else:
            right = self.operand(node[2], current)
        unknown = found = False
        for a in left:
            for b in right:
                result = self.test(node, a, b)
                if result is None:
                    if not self.lax:
                        return None
                    unknown = True
                elif result:
                    if self.lax:
                        return True
                    found = True
        if found:
            return True
        return None if unknown else False

    def test(self, node: Node, a: Any, b: Any) -> bool | None:
        if node[0] == "starts":
            if type(a) is not str or type(b) is not str:
                return None
            return a.startswith(b)
        if node[0] == "like_regex":
            return like_regex(a, node[2], node[3]) if type(a) is str else None
        return compare(node[0], a, b)


def like_regex(text: str, pattern: str, flags: str) -> bool:
    if "q" in flags:
        pattern = re.escape(pattern)
    mode = (re.I if "i" in flags else 0) | (re.S if "s" in flags else 0)
    mode |= (re.M if "m" in flags else 0) | (re.X if "x" in flags else 0)
    return re.search(pattern, text, mode) is not None


def compare(op: str, a: Any, b: Any) -> bool | None:
    if isinstance(a, Datetime) and isinstance(b, Datetime):
        a, b = a.value, b.value
        if type(a) is not type(b):
            return None
    elif type_name(a) != type_name(b):
        if a is None or b is None:
            return op == "!="
        return None
    elif a is None:
        return op in ("==", "<=", ">=")
    elif type(a) in (dict, list):
        return None
    result: bool = {
        "==": a == b,
        "!=": a != b,
        "<": a < b,
        ">": a > b,
        "<=": a <= b,
        ">=": a >= b,
    }[op]
    return result


def execute(ctx: CallContext, target: str, path: str, variables: str, silent: int) -> list[Any]:
    parsed = parse_jsonpath(path)
    values = load_jsonb(variables)
    if type(values) is not dict:
        raise PgError(
            "22023",
            '"vars" argument is not an object',
            detail='Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
        )
    try:
        return Executor(ctx, parsed, load_jsonb(target), values).run(
            parsed.root, load_jsonb(target)
        )
    except PgError as error:
        if silent and error.sqlstate in SQL_ERRORS:
            raise SilentError from None
        raise


class SilentError(Exception):
    """An error that `silent` turns into NULL or no rows."""


def plain(value: Any) -> Any:
    if isinstance(value, Datetime):
        return value.text()
    return value


def _query(ctx: CallContext, doc: str, path: str, variables: str, silent: int) -> list[str]:
    try:
        return [dump_jsonb(plain(one)) for one in execute(ctx, doc, path, variables, silent)]
    except SilentError:
        return []


for _tz in ("", "_tz"):
    _args = "(jsonb, jsonpath, jsonb, bool)"

    def path_query(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> Iterator[str]:
        yield from _query(ctx, doc, path, vs, silent)

    def path_query_array(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> str:
        return "[" + ", ".join(_query(ctx, doc, path, vs, silent)) + "]"

    def path_query_first(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> str | None:
        found = _query(ctx, doc, path, vs, silent)
        return found[0] if found else None

    def path_exists(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> bool | None:
        try:
            return bool(execute(ctx, doc, path, vs, silent))
        except SilentError:
            return None

    def path_match(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> bool | None:
        try:
            found = execute(ctx, doc, path, vs, silent)
        except SilentError:
            return None
        if len(found) == 1 and (found[0] is None or type(found[0]) is bool):
            result: bool | None = found[0]
            return result
        if silent:
            return None
        raise PgError("22038", "single boolean result is expected")

    pg_function(f"jsonb_path_query{_tz}{_args}", context=True)(path_query)
    pg_function(f"jsonb_path_query_array{_tz}{_args}", context=True)(path_query_array)
    pg_function(f"jsonb_path_query_first{_tz}{_args}", context=True)(path_query_first)
    pg_function(f"jsonb_path_exists{_tz}{_args}", context=True)(path_exists)
    pg_function(f"jsonb_path_match{_tz}{_args}", context=True)(path_match)


@pg_function("jsonb_path_exists_opr(jsonb, jsonpath)", context=True)
def jsonb_path_exists_opr(ctx: CallContext, doc: str, path: str) -> bool | None:
    return path_exists(ctx, doc, path, "{}", 1)


@pg_function("jsonb_path_match_opr(jsonb, jsonpath)", context=True)
def jsonb_path_match_opr(ctx: CallContext, doc: str, path: str) -> bool | None:
    return path_match(ctx, doc, path, "{}", 1)
