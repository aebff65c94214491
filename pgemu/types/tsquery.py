"""tsquery: representation, I/O, order and the functions over it alone (PostgreSQL:
utils/adt/tsquery.c, tsquery_util.c, tsquery_op.c, tsquery_cleanup.c).

Storage: the canonical text.  In Python a query is a tree of Operand and Operator, or None when it
is empty.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from typing import Any

from pgemu.errors import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, SYNTAX_ERROR, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.pqformat import Message
from pgemu.types.tsvector import MAX_LEXEME, WordReader, quote_lexeme

NOT, AND, OR, PHRASE = 1, 2, 3, 4
PRIORITY = {NOT: 4, AND: 2, OR: 1, PHRASE: 3}
MAX_DISTANCE = 16384
MAX_ITEMS = 0x3FFFFFFF // 12
MODIFIERS = {"a": 8, "b": 4, "c": 2, "d": 1}
DISTANCE = re.compile(r"<(?:(-)|([0-9]+))>")


@dataclass(frozen=True, slots=True)
class Operand:
    """weight: a set of the bits D=1 ... A=8, 0 for any."""

    lexeme: str
    weight: int = 0
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """NOT has only right."""

    kind: int
    left: Node | None
    right: Node
    distance: int = 1


Node = Operand | Operator
# What a word of the query text becomes: a node, or None for a stop word.
MakeOperand = Callable[[str, int, bool], "Node | None"]

STOP = Operand("", -1)


def plain_operand(word: str, weight: int, prefix: bool) -> Node | None:
    return Operand(word, weight, prefix)


class QueryReader:
    """makepol over gettoken_query_standard."""

    def __init__(self, text: str, make: MakeOperand) -> None:
        self.text = text
        self.at = 0
        self.make = make
        self.depth = 0
        self.first = True
        self.want_operand = True

    def error(self) -> PgError:
        return PgError(SYNTAX_ERROR, f'syntax error in tsquery: "{self.text}"')

    @property
    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    def modifiers(self) -> tuple[int, bool]:
        weight, prefix = 0, False
        if self.char == ":":
            self.at += 1
            while self.char and (self.char.lower() in MODIFIERS or self.char == "*"):
                weight |= MODIFIERS.get(self.char.lower(), 0)
                prefix = prefix or self.char == "*"
                self.at += 1
        return weight, prefix

    def token(self) -> tuple[str, Any]:
        """(kind, value): "val", "opr", "open", "close", "end"."""
        while self.char.isspace():
            self.at += 1
        return self.operand_token() if self.want_operand else self.operator_token()

    def operand_token(self) -> tuple[str, Any]:
        char = self.char
        first, self.first = self.first, False
        if char in ("!", "("):
            self.at += 1
            self.depth += char == "("
            return ("opr", (NOT, 0)) if char == "!" else ("open", None)
        if char == ":":
            raise self.error()
        reader = WordReader(self.text, self.at, in_query=True)
        found = reader.word()
        if found is None:
            if first:
                return "end", None
            raise PgError(SYNTAX_ERROR, f'no operand in tsquery: "{self.text}"')
        self.at = reader.at
        self.want_operand = False
        return "val", (found[0], *self.modifiers())

    def operator_token(self) -> tuple[str, Any]:
        char = self.char
        if not char:
            if self.depth:
                raise self.error()
            return "end", None
        if char in "&|":
            self.at += 1
            self.want_operand = True
            return "opr", (AND if char == "&" else OR, 0)
        match = DISTANCE.match(self.text, self.at)
        if match:
            distance = 1 if match[1] else int(match[2])
            if distance > MAX_DISTANCE:
                raise PgError(
                    INVALID_PARAMETER_VALUE,
                    "distance in phrase operator must be an integer value between zero and "
                    f"{MAX_DISTANCE} inclusive",
                )
            self.at = match.end()
            self.want_operand = True
            return "opr", (PHRASE, distance)
        if char == ")":
            self.at += 1
            self.depth -= 1
            if self.depth < 0:
                raise self.error()
            return "close", None
        raise self.error()

    def parse(self) -> Node | None:
        """The tree, stop words still in it as STOP; None if there is no operand at all."""
        values: list[Node] = []
        stack: list[tuple[int, int]] = []

        def reduce(kind: int) -> None:
            while stack:
                top = stack[-1][0]
                if PRIORITY[kind] > PRIORITY[top] or (kind == top == NOT):
                    break
                kind_done, distance = stack.pop()
                if not values:
                    raise self.error()
                right = values.pop()
                if kind_done != NOT and not values:
                    raise self.error()
                left = None if kind_done == NOT else values.pop()
                values.append(Operator(kind_done, left, right, distance))

        while True:
            kind, value = self.token()
            if kind == "val":
                made = self.make(*value)
                values.append(STOP if made is None else made)
            elif kind == "opr":
                reduce(value[0])
                stack.append(value)
            elif kind == "open":
                inner = self.parse()
                if inner is not None:
                    values.append(inner)
            else:
                reduce(OR)
                break
        return values[-1] if values else None


def clean(node: Node | None) -> tuple[Node | None, int, int]:
    """clean_stopword_intree: (tree, words lost at the left, at the right)."""
    if node is None or isinstance(node, Operand):
        return (None if node is STOP else node), 0, 0
    if node.kind == NOT:
        right, r_left, r_right = clean(node.right)
        return (None if right is None else Operator(NOT, None, right)), r_left, r_right
    left, l_left, l_right = clean(node.left)
    right, r_left, r_right = clean(node.right)
    phrase = node.kind == PHRASE
    distance = node.distance if phrase else 0
    if left is None and right is None:
        lost = (l_left + distance + r_left) if phrase else max(l_left, r_left)
        return None, lost, lost
    if left is None:
        return right, (l_left + distance + r_left) if phrase else r_left, r_right
    if right is None:
        return left, l_left, (l_right + distance + r_right) if phrase else l_right
    if phrase:
        kept = Operator(PHRASE, left, right, distance + l_right + r_left)
        return kept, l_left, r_right
    return Operator(node.kind, left, right), 0, 0


def query_text(node: Node | None, parent: int = -1, right_of_phrase: bool = False) -> str:
    """infix."""
    if node is None:
        return ""
    if isinstance(node, Operand):
        text = quote_lexeme(node.lexeme)
        if node.weight or node.prefix:
            letters = "".join(
                c for c, bit in zip("ABCD", (8, 4, 2, 1), strict=True) if node.weight & bit
            )
            text += ":" + ("*" if node.prefix else "") + letters
        return text
    priority = PRIORITY[node.kind]
    if node.kind == NOT:
        text = "!" + query_text(node.right, priority)
        return f"( {text} )" if priority < parent else text
    if node.kind == PHRASE:
        symbol = "<->" if node.distance == 1 else f"<{node.distance}>"
    else:
        symbol = "&" if node.kind == AND else "|"
    left = query_text(node.left, priority)
    right = query_text(node.right, priority, node.kind == PHRASE)
    text = f"{left} {symbol} {right}"
    wrapped = priority < parent or (node.kind == PHRASE and right_of_phrase and priority == parent)
    return f"( {text} )" if wrapped else text


def parse_tsquery(
    text: str, ctx: CallContext | None, make: MakeOperand = plain_operand
) -> Node | None:
    tree = QueryReader(text, make).parse()
    if tree is None and ctx is not None:
        ctx.notice("NOTICE", "00000", f'text-search query doesn\'t contain lexemes: "{text}"')
    if tree is not None and make is not plain_operand:
        tree = clean(tree)[0]
        if tree is None and ctx is not None:
            ctx.notice(
                "NOTICE",
                "00000",
                "text-search query contains only stop words or doesn't contain lexemes, ignored",
            )
    return tree


@lru_cache(maxsize=1024)
def load_tsquery(value: str) -> Node | None:
    return QueryReader(value, plain_operand).parse()


def nodes(tree: Node | None) -> list[Node]:
    """Preorder, the right operand first as PostgreSQL stores them."""
    if tree is None:
        return []
    if isinstance(tree, Operand):
        return [tree]
    return [tree, *nodes(tree.right), *nodes(tree.left)]


def operands(tree: Node | None) -> list[Operand]:
    return [one for one in nodes(tree) if isinstance(one, Operand)]


@lru_cache(maxsize=1)
def crc_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (0xEDB88320 if number & 1 else 0)
        table.append(number)
    return table


def legacy_crc32(data: bytes) -> int:
    """PostgreSQL's first CRC, which mixes two bit orders; tsquery still sorts by it."""
    crc = 0xFFFFFFFF
    table = crc_table()
    for byte in data:
        crc = table[(crc >> 24) ^ byte] ^ (crc << 8 & 0xFFFFFFFF)
    crc ^= 0xFFFFFFFF
    return crc - (1 << 32) if crc >> 31 else crc


def compare_nodes(a: Node, b: Node) -> int:
    """QTNodeCompare."""
    if isinstance(a, Operand):
        if not isinstance(b, Operand):
            return 1
        x, y = legacy_crc32(a.lexeme.encode()), legacy_crc32(b.lexeme.encode())
        if x != y:
            return -1 if x > y else 1
        return (a.lexeme > b.lexeme) - (a.lexeme < b.lexeme)
    if not isinstance(b, Operator):
        return -1
    if a.kind != b.kind:
        return -1 if a.kind > b.kind else 1
    order = compare_nodes(a.right, b.right)
    if not order and a.left is not None and b.left is not None:
        order = compare_nodes(a.left, b.left)
    if order or a.kind != PHRASE or a.distance == b.distance:
        return order
    return -1 if a.distance > b.distance else 1


def compare_tsquery(a: str, b: str) -> int:
    if a == b:
        return 0
    x, y = load_tsquery(a), load_tsquery(b)
    counts = len(nodes(x)), len(nodes(y))
    if counts[0] != counts[1]:
        return -1 if counts[0] < counts[1] else 1
    sizes = [sum(len(o.lexeme.encode()) + 1 for o in operands(t)) for t in (x, y)]
    if sizes[0] != sizes[1]:
        return -1 if sizes[0] < sizes[1] else 1
    return 0 if x is None or y is None else compare_nodes(x, y)


TSQUERYOID = 3615


class TsqueryType(BaseType):
    name = "tsquery"
    collation = "tsquery_ops"

    def compare(self, a: Any, b: Any) -> int:
        return compare_tsquery(a, b)

    def hash_key(self, value: Any) -> Any:
        return value

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return query_text(parse_tsquery(text, ctx))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        items = nodes(load_tsquery(value))
        out = [struct.pack(">i", len(items))]
        for item in items:
            if isinstance(item, Operand):
                out.append(bytes((1, item.weight, item.prefix)) + item.lexeme.encode() + b"\0")
            else:
                out.append(bytes((2, item.kind)))
                if item.kind == PHRASE:
                    out.append(struct.pack(">h", item.distance))
        return b"".join(out)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        count = message.integer(4, signed=False)
        if count > MAX_ITEMS:
            raise PgError(INTERNAL_ERROR, "invalid size of tsquery")
        items = [received_item(message, number == count - 1) for number in range(count)]
        items.reverse()
        root = linked(items)
        if items:
            raise PgError(INTERNAL_ERROR, "malformed tsquery: extra nodes")
        message.end()
        return query_text(root)


def received_item(message: Message, is_last: bool) -> Node:
    """One operand, or an operator that has no operands yet."""
    node_type = message.integer(1)
    if node_type == 1:
        weight, prefix = message.integer(1, signed=False), message.integer(1, signed=False)
        lexeme = message.string()
        if weight > 0xF:
            raise PgError(INTERNAL_ERROR, "invalid tsquery: invalid weight bitmap")
        if len(lexeme.encode()) > MAX_LEXEME:
            raise PgError(INTERNAL_ERROR, "invalid tsquery: operand too long")
        return Operand(lexeme, weight, bool(prefix))
    if node_type != 2:
        raise PgError(INTERNAL_ERROR, f"unrecognized tsquery node type: {node_type}")
    kind = message.integer(1)
    if kind not in PRIORITY:
        raise PgError(INTERNAL_ERROR, f"invalid tsquery: unrecognized operator type {kind}")
    if is_last:
        raise PgError(INTERNAL_ERROR, "invalid pointer to right operand")
    distance = message.integer(2) if kind == PHRASE else 1
    return Operator(kind, None, Operand(""), distance)


def linked(items: list[Node]) -> Node:
    """findoprnd: takes the nodes of one tree off the end of the list."""
    if not items:
        raise PgError(INTERNAL_ERROR, "malformed tsquery: operand not found")
    node = items.pop()
    if isinstance(node, Operand):
        return node
    right = linked(items)
    left = None if node.kind == NOT else linked(items)
    return Operator(node.kind, left, right, node.distance)


register_type(TsqueryType())
bind_comparisons("tsquery_", "tsquery,tsquery", compare_tsquery, cmp="tsquery_cmp")
pg_function("numnode(tsquery)")(lambda v: len(nodes(load_tsquery(v))))


def joined(kind: int, a: str, b: str, distance: int = 1) -> str:
    """One query of two; an empty one leaves the other."""
    left, right = load_tsquery(a), load_tsquery(b)
    if left is None or right is None:
        return a or b
    return query_text(Operator(kind, left, right, distance))


pg_function("tsquery_and(tsquery,tsquery)")(lambda a, b: joined(AND, a, b))
pg_function("tsquery_or(tsquery,tsquery)")(lambda a, b: joined(OR, a, b))
pg_function("tsquery_phrase(tsquery,tsquery)")(lambda a, b: joined(PHRASE, a, b))


@pg_function("tsquery_phrase(tsquery,tsquery,int4)")
def tsquery_phrase_distance(a: str, b: str, distance: int) -> str:
    if not 0 <= distance <= MAX_DISTANCE:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "distance in phrase operator must be an integer value between zero and "
            f"{MAX_DISTANCE} inclusive",
        )
    return joined(PHRASE, a, b, distance)


@pg_function("tsquery_not(tsquery)")
def tsquery_not(value: str) -> str:
    tree = load_tsquery(value)
    return "" if tree is None else query_text(Operator(NOT, None, tree))


def without_not(node: Node | None) -> Node | None:
    """clean_NOT_intree: what of the query an index could search for."""
    if node is None or isinstance(node, Operand):
        return node
    if node.kind == NOT:
        return None
    left, right = without_not(node.left), without_not(node.right)
    if node.kind == OR:
        return None if left is None or right is None else Operator(OR, left, right)
    if left is None or right is None:
        return left or right
    return Operator(node.kind, left, right, node.distance)


@pg_function("querytree(tsquery)")
def tsquerytree(value: str) -> str:
    tree = load_tsquery(value)
    if tree is None:
        return ""
    cleaned = without_not(tree)
    return "T" if cleaned is None else query_text(cleaned)


def contains(a: str, b: str) -> bool:
    return {o.lexeme for o in operands(load_tsquery(b))} <= {
        o.lexeme for o in operands(load_tsquery(a))
    }


pg_function("tsq_mcontains(tsquery,tsquery)")(contains)
pg_function("tsq_mcontained(tsquery,tsquery)")(lambda a, b: contains(b, a))


def flattened(node: Node, kind: int) -> list[Node]:
    """The operands of a chain of one commutative operator."""
    if isinstance(node, Operator) and node.kind == kind and node.left is not None:
        return flattened(node.left, kind) + flattened(node.right, kind)
    return [node]


def chain(kind: int, parts: list[Node]) -> Node | None:
    tree: Node | None = None
    for part in parts:
        tree = part if tree is None else Operator(kind, tree, part)
    return tree


def substituted(node: Node, target: Node, new: Node | None) -> Node | None:
    """findsubquery: every occurrence of target (as a subset of a chain too) becomes new."""
    if same_query(node, target):
        return new
    if isinstance(node, Operand):
        return node
    if node.kind == NOT:
        inner = substituted(node.right, target, new)
        return None if inner is None else Operator(NOT, None, inner)
    if node.kind == PHRASE:
        left = substituted(node.left, target, new) if node.left is not None else None
        right = substituted(node.right, target, new)
        if left is None or right is None:
            return left or right
        return Operator(PHRASE, left, right, node.distance)
    parts = flattened(node, node.kind)
    if isinstance(target, Operator) and target.kind == node.kind:
        rest = list(parts)
        for wanted in flattened(target, node.kind):
            found = next((i for i, one in enumerate(rest) if same_query(one, wanted)), None)
            if found is None:
                break
            del rest[found]
        else:
            made = chain(node.kind, ([new] if new is not None else []) + rest)
            return None if made is None else in_order(made)
    replaced = [substituted(one, target, new) for one in parts]
    return chain(node.kind, [one for one in replaced if one is not None])


def children(node: Operator) -> list[Node]:
    """As PostgreSQL keeps them: the right operand first, chains flattened and sorted."""
    if node.kind in (AND, OR):
        return sorted(flattened(node, node.kind), key=cmp_to_key(compare_chains))
    return [node.right] if node.left is None else [node.right, node.left]


def compare_chains(a: Node, b: Node) -> int:
    """QTNodeCompare over flattened chains."""
    if isinstance(a, Operand) or isinstance(b, Operand) or a.kind != b.kind:
        return compare_nodes(a, b)
    first, second = children(a), children(b)
    if len(first) != len(second):
        return -1 if len(first) > len(second) else 1
    for x, y in zip(first, second, strict=True):
        order = compare_chains(x, y)
        if order:
            return order
    if a.kind == PHRASE and a.distance != b.distance:
        return -1 if a.distance > b.distance else 1
    return 0


def in_order(node: Node) -> Node:
    """Chains in the order that QTNSort leaves; the last child is printed first."""
    if isinstance(node, Operand):
        return node
    if node.kind in (AND, OR):
        ordered = [in_order(one) for one in reversed(children(node))]
        tree = chain(node.kind, ordered)
        assert tree is not None
        return tree
    left = None if node.left is None else in_order(node.left)
    return Operator(node.kind, left, in_order(node.right), node.distance)


def same_query(a: Node, b: Node) -> bool:
    """Equal up to the order of & and |."""
    if isinstance(a, Operand) or isinstance(b, Operand):
        # Weights and prefix marks are not looked at.
        return isinstance(a, Operand) and isinstance(b, Operand) and a.lexeme == b.lexeme
    if a.kind != b.kind:
        return False
    if a.kind in (AND, OR):
        first, second = flattened(a, a.kind), flattened(b, b.kind)
        if len(first) != len(second):
            return False
        for one in first:
            found = next((i for i, two in enumerate(second) if same_query(one, two)), None)
            if found is None:
                return False
            del second[found]
        return True
    if a.kind == NOT:
        return same_query(a.right, b.right)
    return (
        a.distance == b.distance
        and a.left is not None
        and b.left is not None
        and same_query(a.left, b.left)
        and same_query(a.right, b.right)
    )


@pg_function("ts_rewrite(tsquery,tsquery,tsquery)")
def tsquery_rewrite(query: str, target: str, substitute: str) -> str:
    tree, wanted = load_tsquery(query), load_tsquery(target)
    if tree is None or wanted is None:
        return query
    return query_text(substituted(in_order(tree), wanted, load_tsquery(substitute)))


@pg_function("ts_rewrite(tsquery,text)", context=True)
def tsquery_rewrite_query(ctx: CallContext, query: str, sql: str) -> str:
    columns, rows = ctx.session.cursor_query(sql)
    if [column.type_oid for column in columns] != [TSQUERYOID, TSQUERYOID]:
        raise PgError(INVALID_PARAMETER_VALUE, "ts_rewrite query must return two tsquery columns")
    for target, substitute in rows:
        if not query:
            break
        if target is not None and substitute is not None:
            query = tsquery_rewrite(query, target, substitute)
    return query
