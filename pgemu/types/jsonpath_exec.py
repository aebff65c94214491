"""Evaluation of jsonpath, and the jsonb_path_* functions (PostgreSQL: jsonpath_exec.c).

Predicates have three values: True, False and None (unknown).  Structural errors in strict mode
are PgErrors; inside filters they make the predicate unknown, with `silent` they are dropped.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Any

from pgemu.errors import PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.json_parse import Num, dump_jsonb, load_jsonb
from pgemu.types.jsonpath import COMPARISONS, Node, Path, like_regex, parse_jsonpath
from pgemu.types.jsonpath_datetime import NAMES, Datetime, compare_datetime
from pgemu.types.jsonpath_ids import ObjectIds

SQL_ERRORS = {"22030", "22031", "22032", "22033", "22034", "22035", "22036", "22037", "22038",
              "22039", "2203A", "2203B", "2203C", "2203D", "2203E", "2203F", "22012", "22003",
              "22007", "22008"}  # fmt: skip


PREDICATES = frozenset(("&&", "||", "!", "exists", "is_unknown", "starts", "like_regex",
                        *COMPARISONS))  # fmt: skip


def type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Datetime):
        return NAMES[value.kind]
    names = {bool: "boolean", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "number")


def is_number(value: Any) -> bool:
    return type(value) is int or isinstance(value, Decimal)


def normal(value: Any) -> Any:
    return value if type(value) is int else Num(value)


class Executor:
    """One evaluation.  Items come one by one, depth first, so that what precedes an error is
    there when `silent` drops the error."""

    def __init__(
        self, ctx: CallContext, path: Path, root: Any, variables: Any, use_tz: bool = False
    ) -> None:
        self.ctx = ctx
        self.lax = path.lax
        self.root = root
        self.variables = variables
        self.use_tz = use_tz
        self.last = -1
        self.ignore_structure = path.lax
        self.ids = ObjectIds()

    def unwrap(self, values: Iterable[Any]) -> Iterator[Any]:
        for one in values:
            if type(one) is list:
                yield from one
            else:
                yield one

    def run(self, node: Node, current: Any) -> Iterator[Any]:
        kind = node[0]
        if kind == "root":
            yield self.root
        elif kind == "current":
            yield current
        elif kind == "const":
            yield node[1]
        elif kind == "last":
            yield self.last
        elif kind == "var":
            if type(self.variables) is not dict or node[1] not in self.variables:
                raise PgError("42704", f'could not find jsonpath variable "{node[1]}"')
            yield self.variables[node[1]]
        elif kind in PREDICATES:
            yield self.predicate(node, current)
        elif kind in ("+", "-", "*", "/", "%"):
            yield self.arithmetic(node, current)
        elif kind in ("neg", "pos"):
            yield from self.sign(node, current)
        else:
            yield from self.accessor(node, current)

    def accessor(self, node: Node, current: Any) -> Iterator[Any]:
        kind = node[0]
        values = self.run(node[1], current)
        if kind == "filter":
            for one in self.unwrap(values) if self.lax else values:
                if self.predicate(node[2], one) is True:
                    yield one
        elif kind == "any":
            for one in values:
                yield from self.descend(one, 0, node[2], node[3])
        elif kind == "any_array":
            yield from self.all_elements(values)
        elif kind == "index":
            for one in values:
                yield from self.subscript(one, node[2], current)
        elif kind == "method":
            yield from self.method(node, values)
        elif kind == "any_key":
            yield from self.all_members(self.unwrap(values) if self.lax else values)
        else:
            yield from self.member(node[2], self.unwrap(values) if self.lax else values)

    def all_members(self, values: Iterable[Any]) -> Iterator[Any]:
        for one in values:
            if type(one) is dict:
                yield from one.values()
            elif not self.ignore_structure:
                raise PgError(
                    "2203C", "jsonpath wildcard member accessor can only be applied to an object"
                )

    def member(self, key: str, values: Iterable[Any]) -> Iterator[Any]:
        for one in values:
            if type(one) is dict:
                if key in one:
                    yield one[key]
                elif not self.ignore_structure:
                    raise PgError("2203A", f'JSON object does not contain key "{key}"')
            elif not self.ignore_structure:
                raise PgError("2203A", "jsonpath member accessor can only be applied to an object")

    def all_elements(self, values: Iterable[Any]) -> Iterator[Any]:
        for one in values:
            if type(one) is list:
                yield from one
            elif self.lax:
                yield one
            elif not self.ignore_structure:
                raise PgError(
                    "22039", "jsonpath wildcard array accessor can only be applied to an array"
                )

    def descend(self, value: Any, level: int, low: int, high: int) -> Iterator[Any]:
        """.**: values at the levels low..high; -1 is the level of the leaves.  The steps behind
        it ignore structural errors."""
        container = type(value) in (dict, list)
        if level == 0:
            wanted = low == 0
        elif low == -1:
            wanted = high == -1 and not container
        else:
            wanted = level >= low and (high == -1 or level <= high)
        if wanted:
            saved, self.ignore_structure = self.ignore_structure, True
            yield value
            self.ignore_structure = saved
        if container and (high == -1 or level < high):
            for one in value.values() if type(value) is dict else value:
                yield from self.descend(one, level + 1, low, high)

    def subscript(self, value: Any, parts: Any, current: Any) -> Iterator[Any]:
        if type(value) is not list:
            if not self.lax:
                if self.ignore_structure:
                    return
                raise PgError("22039", "jsonpath array accessor can only be applied to an array")
            value = [value]
        saved = self.last
        for low, high in parts:
            self.last = len(value) - 1
            first = self.array_index(low, current)
            final = first if high is None else self.array_index(high, current)
            self.last = saved
            if not self.ignore_structure and (first < 0 or first > final or final >= len(value)):
                raise PgError("22033", "jsonpath array subscript is out of bounds")
            if final >= 0:
                yield from value[max(first, 0) : final + 1]

    def array_index(self, node: Node, current: Any) -> int:
        found = list(self.run(node, current))
        if len(found) != 1 or not is_number(found[0]):
            raise PgError("22033", "jsonpath array subscript is not a single numeric value")
        index = int(found[0])
        if not -(2**31) <= index < 2**31:
            raise PgError("22033", "jsonpath array subscript is out of integer range")
        return index

    # ---- numbers

    def operand(self, node: Node, current: Any) -> list[Any]:
        values = self.run(node, current)
        return list(self.unwrap(values) if self.lax else values)

    def arithmetic(self, node: Node, current: Any) -> Any:
        op = node[0]
        sides = []
        operands = [(which, self.operand(node[n], current)) for n, which in SIDES]
        for which, found in operands:
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

    def sign(self, node: Node, current: Any) -> Iterator[Any]:
        for one in self.operand(node[1], current):
            if not is_number(one):
                op = "-" if node[0] == "neg" else "+"
                raise PgError(
                    "2203B", f"operand of unary jsonpath operator {op} is not a numeric value"
                )
            yield normal(-one) if node[0] == "neg" else one

    # ---- methods

    def method(self, node: Node, values: Iterable[Any]) -> Iterator[Any]:
        name = node[2]
        if name == "type":
            yield from map(type_name, values)
            return
        if name == "size":
            yield from map(self.size, values)
            return
        for one in self.unwrap(values) if self.lax else values:
            if name == "keyvalue":
                yield from self.keyvalue(one)
            elif name == "double":
                yield self.double(one)
            elif name == "datetime":
                yield self.datetime(one, node[3])
            elif not is_number(one):
                raise PgError(
                    "22036",
                    f"jsonpath item method .{name}() can only be applied to a numeric value",
                )
            elif name == "abs":
                yield normal(abs(one))
            else:
                yield math.floor(one) if name == "floor" else math.ceil(one)

    def size(self, value: Any) -> int:
        if type(value) is list:
            return len(value)
        if not self.lax and not self.ignore_structure:
            raise PgError("22039", "jsonpath item method .size() can only be applied to an array")
        return 1

    def keyvalue(self, value: Any) -> Iterator[Any]:
        if type(value) is not dict:
            raise PgError(
                "2203C", "jsonpath item method .keyvalue() can only be applied to an object"
            )
        number = self.ids.number(value, self.root, self.variables)
        for k, v in value.items():
            pair = {"id": number, "key": k, "value": v}
            self.ids.generated(pair)
            yield pair

    def double(self, value: Any) -> Any:
        if not is_number(value) and type(value) is not str:
            raise PgError(
                "22036",
                "jsonpath item method .double() can only be applied to a string or numeric value",
            )
        is_text = type(value) is str
        try:
            result = float(value) if not (is_text and "_" in value) else math.nan
        except ValueError:
            result = math.nan
        except OverflowError:
            result = math.inf
        if math.isfinite(result):
            if not is_text:
                return value
            text = f"{Decimal(f'{result:.15g}'):f}"
            return Num(text) if "." in text else int(text)
        if is_text:
            raise PgError(
                "22036",
                "string argument of jsonpath item method .double() is not a valid representation "
                "of a double precision number",
            )
        raise PgError(
            "22036",
            "numeric argument of jsonpath item method .double() is out of range for type "
            "double precision",
        )

    def datetime(self, value: Any, template: str | None) -> Datetime:
        if type(value) is not str:
            raise PgError(
                "22031", "jsonpath item method .datetime() can only be applied to a string"
            )
        return Datetime.parse(value, template)

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
                found = self.run(node[1], current)
                return any(True for _ in found) if self.lax else bool(list(found))
            if kind in COMPARISONS or kind in ("starts", "like_regex"):
                return self.pairs(node, current)
        except PgError as error:
            if error.sqlstate in SQL_ERRORS:
                return None
            raise
        items = list(self.run(node, current))
        return items[0] if len(items) == 1 and type(items[0]) is bool else None

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
        return self.compare(node[0], a, b)

    def compare(self, op: str, a: Any, b: Any) -> bool | None:
        if isinstance(a, Datetime) and isinstance(b, Datetime):
            order = compare_datetime(self.ctx, a, b, self.use_tz)
            if order is None:
                return None
            a, b = order, 0
        elif type_name(a) != type_name(b):
            if a is None or b is None:
                return op == "!="
            return None
        elif a is None:
            return op in ("==", "<=", ">=")
        elif type(a) in (dict, list):
            return None
        return bool(COMPARE[op](a, b))


SIDES = ((1, "left"), (2, "right"))
COMPARE = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
           "<=": operator.le, ">=": operator.ge}  # fmt: skip


def execute(
    ctx: CallContext, target: str, path: str, variables: str, use_tz: bool
) -> tuple[Executor, Path]:
    parsed = parse_jsonpath(path)
    values = load_jsonb(variables)
    if type(values) is not dict:
        raise PgError(
            "22023",
            '"vars" argument is not an object',
            detail='Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
        )
    return Executor(ctx, parsed, load_jsonb(target), values, use_tz), parsed


def items(
    ctx: CallContext, target: str, path: str, variables: str, silent: int, use_tz: bool
) -> Iterator[Any]:
    """What the path finds; with `silent` an error ends the items."""
    executor, parsed = execute(ctx, target, path, variables, use_tz)
    try:
        yield from executor.run(parsed.root, executor.root)
    except PgError as error:
        if not silent or error.sqlstate not in SQL_ERRORS:
            raise


def exists(
    ctx: CallContext, target: str, path: str, variables: str, silent: int, use_tz: bool
) -> bool | None:
    """Is there an item?  None for an error under `silent`."""
    executor, parsed = execute(ctx, target, path, variables, use_tz)
    try:
        if not parsed.lax:  # strict: errors count, so every item is looked at
            return bool(list(executor.run(parsed.root, executor.root)))
        if parsed.root[0] in ("neg", "pos"):  # items that are no numbers do not count
            return any(map(is_number, executor.operand(parsed.root[1], executor.root)))
        return any(True for _ in executor.run(parsed.root, executor.root))
    except PgError as error:
        if not silent or error.sqlstate not in SQL_ERRORS:
            raise
        return None


def plain(value: Any) -> Any:
    if isinstance(value, Datetime):
        return value.text()
    return value


def bind(suffix: str, use_tz: bool) -> None:
    """The functions of one family: without and with time zone usage."""
    args = "(jsonb, jsonpath, jsonb, bool)"

    def query(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> Iterator[str]:
        for one in list(items(ctx, doc, path, vs, silent, use_tz)):
            yield dump_jsonb(plain(one))

    def query_array(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> str:
        return "[" + ", ".join(query(ctx, doc, path, vs, silent)) + "]"

    def query_first(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> str | None:
        return next(query(ctx, doc, path, vs, silent), None)

    def path_exists(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> bool | None:
        return exists(ctx, doc, path, vs, silent, use_tz)

    def path_match(ctx: CallContext, doc: str, path: str, vs: str, silent: int) -> bool | None:
        return match(ctx, doc, path, vs, silent, use_tz)

    pg_function(f"jsonb_path_query{suffix}{args}", context=True)(query)
    pg_function(f"jsonb_path_query_array{suffix}{args}", context=True)(query_array)
    pg_function(f"jsonb_path_query_first{suffix}{args}", context=True)(query_first)
    pg_function(f"jsonb_path_exists{suffix}{args}", context=True)(path_exists)
    pg_function(f"jsonb_path_match{suffix}{args}", context=True)(path_match)


def match(
    ctx: CallContext, target: str, path: str, variables: str, silent: int, use_tz: bool
) -> bool | None:
    """The path as a predicate."""
    found = list(items(ctx, target, path, variables, silent, use_tz))
    if len(found) == 1 and (found[0] is None or type(found[0]) is bool):
        result: bool | None = found[0]
        return result
    if silent:
        return None
    raise PgError("22038", "single boolean result is expected")


bind("", False)
bind("_tz", True)


@pg_function("jsonb_path_exists_opr(jsonb, jsonpath)", context=True)
def jsonb_path_exists_opr(ctx: CallContext, doc: str, path: str) -> bool | None:
    return exists(ctx, doc, path, "{}", 1, False)


@pg_function("jsonb_path_match_opr(jsonb, jsonpath)", context=True)
def jsonb_path_match_opr(ctx: CallContext, doc: str, path: str) -> bool | None:
    return match(ctx, doc, path, "{}", 1, False)
