"""The synonym and thesaurus dictionary templates (PostgreSQL's dict_synonym.c and
dict_thesaurus.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.types.tsearch_files import CONFIG_FILE_ERROR, Lexeme, config_lines, lexeme

Lexize = Callable[[str], "list[str] | None"]


def synonym_dictionary(name: str, case_sensitive: bool) -> Lexize:
    """One word for another; a star after the substitute asks for a prefix match."""
    known: dict[str, Lexeme] = {}
    for line in config_lines(name, "syn", "synonym"):
        words = line.split()
        if len(words) < 2:
            continue
        word, substitute = words[0], words[1]
        prefix = substitute.endswith("*") and len(substitute) > 1
        substitute = substitute[:-1] if prefix else substitute
        if not case_sensitive:
            word, substitute = word.lower(), substitute.lower()
        known[word] = lexeme(substitute, prefix=prefix)

    def lexize(word: str) -> list[str] | None:
        found = known.get(word if case_sensitive else word.lower())
        return None if found is None else [found]

    return lexize


def variants(lexemes: Sequence[str] | None) -> list[tuple[str, ...]]:
    """The lexemes that belong together."""
    groups: dict[int, list[str]] = {}
    for number, one in enumerate(lexemes or ()):
        groups.setdefault(getattr(one, "variant", number), []).append(str(one))
    return [tuple(group) for group in groups.values()]


class Thesaurus:
    """Phrases and what stands for them.  A phrase is a list of words as the subdictionary knows
    them; None is a stop word's place."""

    def __init__(self, name: str, subdictionary: Lexize) -> None:
        self.lexize_word = subdictionary
        self.rules: list[tuple[list[list[tuple[str, ...]] | None], list[str]]] = []
        for line in config_lines(name, "ths", "thesaurus"):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            sample, colon, substitute = line.partition(":")
            if not colon or not sample.split():
                raise PgError(CONFIG_FILE_ERROR, "unexpected delimiter")
            if not substitute.split():
                raise PgError(CONFIG_FILE_ERROR, "unexpected end of line")
            number = len(self.rules) + 1
            phrase = [self._sample(word.lower(), number) for word in sample.split()]
            self.rules.append((phrase, self._substitutes(substitute.split(), number)))

    def _sample(self, word: str, number: int) -> list[tuple[str, ...]] | None:
        if word == "?":
            return None
        found = self.lexize_word(word)
        if found is None:
            raise _refused(f'thesaurus sample word "{word}" isn\'t recognized by subdictionary '
                           f"(rule {number})")  # fmt: skip
        if not found:
            raise PgError(
                CONFIG_FILE_ERROR,
                f'thesaurus sample word "{word}" is a stop word (rule {number})',
                hint='Use "?" to represent a stop word within a sample phrase.',
            )
        return variants(found)

    def _substitutes(self, words: list[str], number: int) -> list[str]:
        result: list[str] = []
        for word in words:
            if word.startswith("*"):
                found: list[str] | None = [word[1:].lower()]
            else:
                found = self.lexize_word(word.lower())
            if found is None:
                raise _refused(f'thesaurus substitute word "{word}" isn\'t recognized by '
                               f"subdictionary (rule {number})")  # fmt: skip
            if not found:
                raise _refused(f'thesaurus substitute word "{word}" is a stop word (rule {number})')
            for place, one in enumerate(found):
                result.append(lexeme(one, addpos=bool(result) and place == 0))
        return result

    def match(self, words: Sequence[str]) -> tuple[int, list[str]] | None:
        """The longest phrase that the words begin with: (its length, what stands for it)."""
        seen: list[list[str] | None] = []
        best: tuple[int, list[str]] | None = None
        for phrase, substitutes in self.rules:
            if (best is not None and len(phrase) <= best[0]) or len(phrase) > len(words):
                continue
            while len(seen) < len(phrase):
                seen.append(self.lexize_word(words[len(seen)]))
            if all(_is(one, found) for one, found in zip(phrase, seen, strict=False)):
                best = len(phrase), substitutes
        return best


def _refused(message: str) -> PgError:
    return PgError(CONFIG_FILE_ERROR, message)


def _is(sample: list[tuple[str, ...]] | None, found: list[str] | None) -> bool:
    if found is None:
        return False
    if sample is None:
        return not found
    return any(one in sample for one in variants(found))


def boolean_option(name: str, text: str) -> bool:
    """defGetBoolean."""
    if text.lower() in ("true", "on", "1"):
        return True
    if text.lower() in ("false", "off", "0"):
        return False
    raise PgError("42601", f"{name} requires a Boolean value")


def missing(name: str) -> PgError:
    return PgError(INVALID_PARAMETER_VALUE, f"missing {name} parameter")
