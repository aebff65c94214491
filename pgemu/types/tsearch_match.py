"""tsvector @@ tsquery (PostgreSQL: TS_execute and TS_phrase_execute of utils/adt/tsvector_op.c).

Three-valued: NO, MAYBE (a phrase over lexemes without positions), YES.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pgemu.fmgr import pg_function
from pgemu.types.tsquery import AND, NOT, OR, PHRASE, Node, Operand, Operator, load_tsquery
from pgemu.types.tsvector import Lexemes, load_tsvector

NO, MAYBE, YES = 0, 1, 2
BOTH, LEFT_ONLY, RIGHT_ONLY = 1, 2, 4


@dataclass
class Positions:
    """ExecPhraseData: where a subquery matches; negate: everywhere but there."""

    places: list[int] = field(default_factory=list)
    negate: bool = False
    width: int = 0


def check_lexeme(found: list[int], operand: Operand, data: Positions | None) -> int:
    if not found:
        # Without positions a weight is not looked at, as ever.
        return YES if data is None else MAYBE
    if operand.weight:
        found = [p for p in found if operand.weight >> (p & 3) & 1]
    if not found:
        return NO
    if data is not None:
        data.places = sorted({*data.places, *(p >> 2 for p in found)})
    return YES


def check_operand(lexemes: Lexemes, operand: Operand, data: Positions | None) -> int:
    if not operand.prefix:
        found = lexemes.get(operand.lexeme)
        return NO if found is None else check_lexeme(found, operand, data)
    result = NO
    for lexeme, positions in lexemes.items():
        if lexeme.startswith(operand.lexeme):
            result = max(result, check_lexeme(positions, operand, data))
    return result


def merge(
    data: Positions, left: Positions, right: Positions, emit: int, l_offset: int, r_offset: int
) -> int:
    """TS_phrase_output."""
    first = {p + l_offset for p in left.places}
    second = {p + r_offset for p in right.places}
    places: set[int] = set()
    if emit & BOTH:
        places |= first & second
    if emit & LEFT_ONLY:
        places |= first - second
    if emit & RIGHT_ONLY:
        places |= second - first
    data.places = sorted(places)
    return YES if places else NO


def phrase_and(node: Operator, lexemes: Lexemes, data: Positions) -> int:
    left, right = Positions(), Positions()
    assert node.left is not None
    l_match = phrase_execute(node.left, lexemes, left)
    if l_match == NO:
        return NO
    r_match = phrase_execute(node.right, lexemes, right)
    if r_match == NO:
        return NO
    if MAYBE in (l_match, r_match):
        return MAYBE
    if node.kind == PHRASE:
        l_offset, r_offset = node.distance + right.width, 0
        data.width = node.distance + left.width + right.width
    else:
        data.width = max(left.width, right.width)
        l_offset, r_offset = data.width - left.width, data.width - right.width
    if left.negate and right.negate:
        merge(data, left, right, BOTH | LEFT_ONLY | RIGHT_ONLY, l_offset, r_offset)
        data.negate = True
        return YES
    emit = RIGHT_ONLY if left.negate else LEFT_ONLY if right.negate else BOTH
    return merge(data, left, right, emit, l_offset, r_offset)


def phrase_or(node: Operator, lexemes: Lexemes, data: Positions) -> int:
    left, right = Positions(), Positions()
    assert node.left is not None
    l_match = phrase_execute(node.left, lexemes, left)
    r_match = phrase_execute(node.right, lexemes, right)
    if l_match == NO and r_match == NO:
        return NO
    if MAYBE in (l_match, r_match):
        return MAYBE
    if l_match == NO:
        left.width = 0
    if r_match == NO:
        right.width = 0
    data.width = max(left.width, right.width)
    l_offset, r_offset = data.width - left.width, data.width - right.width
    if left.negate or right.negate:
        emit = BOTH if left.negate and right.negate else LEFT_ONLY if left.negate else RIGHT_ONLY
        merge(data, left, right, emit, l_offset, r_offset)
        data.negate = True
        return YES
    return merge(data, left, right, BOTH | LEFT_ONLY | RIGHT_ONLY, l_offset, r_offset)


def phrase_execute(node: Node, lexemes: Lexemes, data: Positions) -> int:
    if isinstance(node, Operand):
        return check_operand(lexemes, node, data)
    if node.kind == NOT:
        found = phrase_execute(node.right, lexemes, data)
        if found == NO:
            data.negate = True
            return YES
        if found == YES and data.places:
            data.negate = not data.negate
            return YES
        if found == YES and data.negate:
            data.negate = False
            return NO
        return MAYBE
    if node.kind == OR:
        return phrase_or(node, lexemes, data)
    return phrase_and(node, lexemes, data)


def execute(node: Node, lexemes: Lexemes) -> int:
    if isinstance(node, Operand):
        return check_operand(lexemes, node, None)
    if node.kind == PHRASE:
        return YES if phrase_execute(node, lexemes, Positions()) == YES else NO
    if node.kind == NOT:
        return YES - execute(node.right, lexemes)
    assert node.left is not None
    left = execute(node.left, lexemes)
    if node.kind == AND:
        return left and min(left, execute(node.right, lexemes))
    return left if left == YES else max(left, execute(node.right, lexemes))


def matches(vector: str, query: str) -> bool:
    tree = load_tsquery(query)
    return tree is not None and execute(tree, load_tsvector(vector)) != NO


pg_function("ts_match_vq(tsvector,tsquery)")(matches)
pg_function("ts_match_qv(tsquery,tsvector)")(lambda query, vector: matches(vector, query))
