"""Where a function's body stands in the text of the statement that brings it
(function_parse_error_transpose and match_prosrc_to_query of PostgreSQL's pg_proc.c).
"""

from __future__ import annotations


def match_prosrc(body: str, text: str, position: int) -> int:
    """The position in the statement of a position in the body (both from 1); 0: the body is not
    in it, or more than once."""
    found = 0
    length = len(body)
    for start in range(len(text) - length):
        char = text[start]
        if char == "$":
            end = start + 1 + length
            if text[end : end + 1] != "$" or not text.startswith(body, start + 1):
                continue
            matched = start + 1 + position
        elif char == "'":
            offset = _match_literal(body, text, start + 1, position)
            if not offset:
                continue
            matched = start + 1 + offset
        else:
            continue
        if found:
            return 0
        found = matched
    return found


def _match_literal(body: str, text: str, start: int, position: int) -> int:
    """match_prosrc_to_literal: the position in a quoted literal; 0: it is not the body."""
    at, result = start, position
    for number, char in enumerate(body, 1):
        if at >= len(text):
            return 0
        if text[at] == "\\":
            at += 1
            if number < position:
                result += 1
        elif text[at] == "'":
            if text[at + 1 : at + 2] != "'":
                return 0
            at += 1
            if number < position:
                result += 1
        if text[at : at + 1] != char:
            return 0
        at += 1
    closed = text[at : at + 1] == "'" and text[at + 1 : at + 2] != "'"
    return result if closed else 0
