"""ts_rank and ts_rank_cd (PostgreSQL: utils/adt/tsrank.c), in single precision where PostgreSQL
computes in it."""

from __future__ import annotations

import math
from typing import Any

from pgemu.errors import ARRAY_SUBSCRIPT_ERROR, INVALID_PARAMETER_VALUE, PgError
from pgemu.errors import NULL_VALUE_NOT_ALLOWED as NULLS
from pgemu.fmgr import pg_function
from pgemu.types.arrays_value import array_bounds, load_flat
from pgemu.types.float import round_to_single as single
from pgemu.types.tsearch_match import NO, execute
from pgemu.types.tsquery import AND, PHRASE, Node, Operand, Operator, load_tsquery, operands
from pgemu.types.tsvector import Lexemes, load_tsvector

DEFAULT_WEIGHTS = tuple(single(w) for w in (0.1, 0.2, 0.4, 1.0))
LOG_LENGTH, LENGTH, EXTENT_DISTANCE, UNIQUE, LOG_UNIQUE, OVER_PLUS_1 = 1, 2, 4, 8, 16, 32
NO_POSITION = 16383 * 4
FAR = 16384
SUM_OF_SQUARES = 1.64493406685

Weights = tuple[float, ...]


def read_weights(array: str) -> Weights:
    """getWeights: a negative one is the default."""
    _, sizes = array_bounds(array)
    if len(sizes) != 1:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "array of weight must be one-dimensional")
    values = load_flat(array)
    if len(values) < len(DEFAULT_WEIGHTS):
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "array of weight is too short")
    if None in values:
        raise PgError(NULLS, "array of weight must not contain nulls")
    found = tuple(
        default if value < 0 else value
        for value, default in zip(values, DEFAULT_WEIGHTS, strict=False)
    )
    if any(weight > 1.0 for weight in found):
        raise PgError(INVALID_PARAMETER_VALUE, "weight out of range")
    return found


def unique_operands(tree: Node) -> list[Operand]:
    """SortAndUniqItems."""
    found: dict[str, Operand] = {}
    for one in operands(tree):
        found.setdefault(one.lexeme, one)
    return [found[lexeme] for lexeme in sorted(found)]


def entries(lexemes: Lexemes, operand: Operand) -> list[list[int]]:
    """find_wordentry: the positions of each matching lexeme."""
    if operand.prefix:
        return [v for k, v in lexemes.items() if k.startswith(operand.lexeme)]
    found = lexemes.get(operand.lexeme)
    return [] if found is None else [found]


def rank_or(weights: Weights, lexemes: Lexemes, tree: Node) -> float:
    items = unique_operands(tree)
    result = 0.0
    for item in items:
        for positions in entries(lexemes, item):
            total, best, best_at = 0.0, -1.0, 0
            for j, position in enumerate(positions or [0]):
                weight = weights[position & 3]
                total = single(total + single(weight / ((j + 1) * (j + 1))))
                if weight > best:
                    best, best_at = weight, j
            square = (best_at + 1) * (best_at + 1)
            part = single(single(best + total) - single(best / square))
            result = single(result + part / SUM_OF_SQUARES)
    return single(result / len(items)) if items else result


def word_distance(distance: int) -> float:
    if distance > 100:
        return single(1e-30)
    return single(1.0 / (1.005 + 0.05 * math.exp(distance / 1.5 - 2)))


def rank_and(weights: Weights, lexemes: Lexemes, tree: Node) -> float:
    items = unique_operands(tree)
    if len(items) < 2:
        return rank_or(weights, lexemes, tree)
    result = -1.0
    seen: list[list[int] | None] = [None] * len(items)
    for i, item in enumerate(items):
        for positions in entries(lexemes, item):
            seen[i] = positions
            for other in seen[:i]:
                if other is not None:
                    result = rank_pairs(weights, positions, other, result)
    return result


def rank_pairs(weights: Weights, a: list[int], b: list[int], result: float) -> float:
    for p in a or [NO_POSITION]:
        for q in b or [NO_POSITION]:
            distance = abs((p >> 2) - (q >> 2))
            if not distance:
                if a and b:
                    continue
                distance = FAR
            product = single(single(weights[p & 3] * weights[q & 3]) * word_distance(distance))
            current = single(math.sqrt(product))
            if result < 0:
                result = current
            else:
                result = single(1.0 - (1.0 - result) * (1.0 - current))
    return result


def document_length(lexemes: Lexemes) -> int:
    return sum(len(positions) or 1 for positions in lexemes.values())


def calc_rank(weights: Weights, vector: str, query: str, method: int) -> float:
    lexemes, tree = load_tsvector(vector), load_tsquery(query)
    if not lexemes or tree is None:
        return 0.0
    conjunction = isinstance(tree, Operator) and tree.kind in (AND, PHRASE)
    result = (rank_and if conjunction else rank_or)(weights, lexemes, tree)
    if result < 0:
        result = single(1e-20)
    length = document_length(lexemes)
    if method & LOG_LENGTH:
        result = single(result / (math.log(length + 1) / math.log(2.0)))
    if method & LENGTH:
        result = single(result / length)
    if method & UNIQUE:
        result = single(result / len(lexemes))
    if method & LOG_UNIQUE:
        result = single(result / (math.log(len(lexemes) + 1) / math.log(2.0)))
    if method & OVER_PLUS_1:
        result = single(result / single(result + 1))
    return result


def unweighted(node: Node) -> Node:
    """The places of a document are those of the right weights already."""
    if isinstance(node, Operand):
        return Operand(node.lexeme, 0, node.prefix)
    left = None if node.left is None else unweighted(node.left)
    return Operator(node.kind, left, unweighted(node.right), node.distance)


class Document:
    """DocRepresentation: the places of the query's lexemes in order; covers() finds the
    shortest spans that satisfy the query."""

    def __init__(self, lexemes: Lexemes, tree: Node) -> None:
        places: dict[int, set[str]] = {}
        for operand in operands(tree):
            for lexeme, positions in lexemes.items():
                same = lexeme == operand.lexeme
                if same or (operand.prefix and lexeme.startswith(operand.lexeme)):
                    for position in positions:
                        if not operand.weight or operand.weight >> (position & 3) & 1:
                            places.setdefault(position, set()).add(lexeme)
        self.places = sorted(places.items())
        self.tree = unweighted(tree)

    def satisfied(self, window: Lexemes, at: int) -> bool:
        """Add one place to the window; is the query true of it?"""
        position, lexemes = self.places[at]
        for lexeme in lexemes:
            window.setdefault(lexeme, []).append(position)
        return execute(self.tree, window) != NO

    def covers(self) -> list[tuple[int, int]]:
        """(first place, last place) of each."""
        found: list[tuple[int, int]] = []
        start = 0
        while True:
            window: Lexemes = {}
            end = next(
                (i for i in range(start, len(self.places)) if self.satisfied(window, i)), None
            )
            if end is None:
                return found
            window = {}
            begin = next((i for i in range(end, start - 1, -1) if self.satisfied(window, i)), None)
            if begin is None:
                start += 1
                continue
            found.append((begin, end))
            start = begin + 1


def calc_rank_cd(weights: Weights, vector: str, query: str, method: int) -> float:
    lexemes, tree = load_tsvector(vector), load_tsquery(query)
    if not lexemes or tree is None:
        return 0.0
    inverse = [1.0 / weight if weight else math.inf for weight in weights]
    document = Document(lexemes, tree)
    rank = distances = previous = 0.0
    covers = document.covers()
    for number, (begin, end) in enumerate(covers):
        span = document.places[begin : end + 1]
        total = sum(inverse[position & 3] for position, _ in span)
        first, last = span[0][0] >> 2, span[-1][0] >> 2
        noise = (last - first) - (end - begin)
        if noise < 0:
            noise = (end - begin) // 2
        rank += len(span) / total / (1 + noise)
        middle = (first + last) / 2.0
        if number and middle > previous:
            distances += 1.0 / (middle - previous)
        previous = middle
    length = document_length(lexemes)
    if method & LOG_LENGTH:
        rank /= math.log(length + 1)
    if method & LENGTH:
        rank /= length
    if method & EXTENT_DISTANCE and covers and distances > 0:
        rank /= len(covers) / distances
    if method & UNIQUE:
        rank /= len(lexemes)
    if method & LOG_UNIQUE:
        rank /= math.log(len(lexemes) + 1) / math.log(2.0)
    if method & OVER_PLUS_1:
        rank /= rank + 1
    return single(rank)


def bind_rank(name: str, rank: Any) -> None:
    pg_function(f"{name}(_float4,tsvector,tsquery,int4)")(
        lambda array, v, q, method: rank(read_weights(array), v, q, method)
    )
    pg_function(f"{name}(_float4,tsvector,tsquery)")(
        lambda array, v, q: rank(read_weights(array), v, q, 0)
    )
    pg_function(f"{name}(tsvector,tsquery,int4)")(
        lambda v, q, method: rank(DEFAULT_WEIGHTS, v, q, method)
    )
    pg_function(f"{name}(tsvector,tsquery)")(lambda v, q: rank(DEFAULT_WEIGHTS, v, q, 0))


bind_rank("ts_rank", calc_rank)
bind_rank("ts_rank_cd", calc_rank_cd)
