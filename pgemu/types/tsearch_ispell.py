"""The ispell dictionary template: word lists with affix rules of Ispell, MySpell and Hunspell
(PostgreSQL's dict_ispell.c and spell.c).

A word is brought back to its base forms by undoing suffixes and prefixes whose flags the base
word carries.  Words of a language that joins words are split where the parts may be joined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pgemu.errors import PgError
from pgemu.types.tsearch_files import CONFIG_FILE_ERROR, config_lines, lexeme

COMPOUNDONLY, COMPOUNDBEGIN, COMPOUNDMIDDLE, COMPOUNDLAST = 0x01, 0x02, 0x04, 0x08
COMPOUNDFLAG = COMPOUNDBEGIN | COMPOUNDMIDDLE | COMPOUNDLAST
COMPOUNDPERMITFLAG, COMPOUNDFORBIDFLAG, CROSSPRODUCT = 0x10, 0x20, 0x40
COMPOUNDFLAGMASK = 0x0F
_COMPOUND_COMMANDS = {
    "COMPOUNDFLAG": COMPOUNDFLAG, "COMPOUNDBEGIN": COMPOUNDBEGIN, "COMPOUNDLAST": COMPOUNDLAST,
    "COMPOUNDEND": COMPOUNDLAST, "COMPOUNDMIDDLE": COMPOUNDMIDDLE,
    "ONLYINCOMPOUND": COMPOUNDONLY, "COMPOUNDPERMITFLAG": COMPOUNDPERMITFLAG,
    "COMPOUNDFORBIDFLAG": COMPOUNDFORBIDFLAG,
}  # fmt: skip
_MAX_LENGTH = 256
_ENTRY = re.compile(r"(?P<mask>[^>]*)>\s*(?:-(?P<find>[^,\s]*)\s*(?:,\s*)?)?(?P<repl>\S*)")


@dataclass(slots=True)
class Affix:
    """One rule: at the end (or start) of a word `repl` was put instead of `find`, if the base
    word fits the mask."""

    flag: str
    flags: int
    mask: re.Pattern[str] | None
    find: str
    repl: str
    is_suffix: bool


@dataclass(slots=True)
class SplitVar:
    """SplitVar: one way to cut a word into parts."""

    stems: list[str] = field(default_factory=list)


class IspellDictionary:
    """IspellDict."""

    def __init__(self, dict_file: str, affix_file: str, stop_words: frozenset[str]) -> None:
        self.stop_words = stop_words
        self.mode = "char"
        self.use_compound = False
        self.compound_flags: dict[str, int] = {}
        self.aliases: list[str] = []
        self.affixes: list[Affix] = []
        raw = self._read_words(dict_file)
        self._read_affixes(affix_file)
        self.words: dict[str, tuple[frozenset[str], int]] = {}
        if self.aliases:
            raw = [(word, self._alias(text)) for word, text in raw]
        for word, text in sorted(raw):
            self._add_word(word, text)
        self.prefixes: set[str] = {w[:n] for w in self.words for n in range(1, len(w) + 1)}
        self._sort_affixes()

    # -- reading --------------------------------------------------------------------------------

    def _read_words(self, name: str) -> list[tuple[str, str]]:
        """NIImportDictionary: (word, flags)."""
        found = []
        for line in config_lines(name, "dict", "dictionary"):
            word, slash, rest = line.rstrip("\n").partition("/")
            flags = re.match(r"[!-~]*", rest)
            text = word.split()[0] if word.split() else ""
            if text:
                found.append((text.lower(), flags[0] if slash and flags else ""))
        return found

    def _add_word(self, word: str, text: str) -> None:
        """mkSPNode: words given twice have the flags of both."""
        flags = frozenset(self.split_flags(text))
        compound = self._compound_value(flags) & COMPOUNDFLAGMASK
        old = self.words.get(word)
        only = bool(compound & COMPOUNDONLY)
        if old is not None and old[0] != flags:
            only = only and bool(old[1] & COMPOUNDONLY)
            flags |= old[0]
            compound = self._compound_value(flags) & COMPOUNDFLAGMASK
        if compound & COMPOUNDONLY and not compound & COMPOUNDFLAG:
            compound |= COMPOUNDFLAG
        if not only:
            compound &= ~COMPOUNDONLY
        self.words[word] = flags, compound

    def _alias(self, text: str) -> str:
        """Flags by number of an AF line."""
        if not self.aliases or not text:
            return text
        number = int(text) if text.isdigit() else 0
        if not 0 < number <= len(self.aliases):
            raise PgError(CONFIG_FILE_ERROR, f'invalid affix alias "{text}"')
        return self.aliases[number - 1]

    def split_flags(self, text: str) -> list[str]:
        """getNextFlagFromString, again and again."""
        if self.mode == "num":
            return _numbers(text)
        if self.mode == "long":
            return [text[n : n + 2] for n in range(0, len(text), 2)]
        return list(text)

    def _compound_value(self, flags: frozenset[str] | list[str]) -> int:
        value = 0
        for flag in flags:
            value |= self.compound_flags.get(flag, 0)
        return value

    def _read_affixes(self, name: str) -> None:
        """NIImportAffixes: the old format, until a line of the new one is met."""
        lines = list(config_lines(name, "affix", "affix"))
        flag, flags, is_suffix, in_rules, old_format = "", 0, False, False, False
        for line in lines:
            text = line.strip("\n")
            lower = text.lower()
            if not text or text.startswith("#"):
                continue
            if lower.startswith("compoundwords"):
                found = re.search(r"[lL]\S*\s+(\S)", text)
                if found is not None:
                    self.compound_flags[found[1]] = COMPOUNDFLAG
                    self.use_compound = True
                old_format = True
            elif lower.startswith(("suffixes", "prefixes")):
                is_suffix, in_rules, old_format = lower.startswith("suf"), True, True
            elif lower.startswith("flag"):
                found = re.match(r"\s*([*~]?)\\?([\x00-\x7f])(?=$|[#:\s])", text[4:])
                if found is None:
                    self._switch(lines, old_format)
                    return
                flags = {"*": CROSSPRODUCT, "~": COMPOUNDONLY}.get(found[1], 0)
                flag, old_format = found[2], True
            elif text.startswith(("COMPOUNDFLAG", "COMPOUNDMIN", "PFX", "SFX")):
                self._switch(lines, old_format)
                return
            elif in_rules:
                entry = _ENTRY.match(lower.partition("#")[0].strip())
                if entry is not None:
                    mask = "".join(entry["mask"].split())
                    self._add_affix(flag, flags, mask, entry["find"] or "", entry["repl"],
                                    is_suffix)  # fmt: skip

    def _switch(self, lines: list[str], old_format: bool) -> None:
        if old_format:
            raise PgError(
                CONFIG_FILE_ERROR, "affix file contains both old-style and new-style commands"
            )
        self._read_hunspell(lines)

    def _read_hunspell(self, lines: list[str]) -> None:
        """NIImportOOAffixes."""
        for line in lines:
            words = line.split()
            if not words or line[0].isspace() or line.startswith("#"):
                continue
            if words[0] == "FLAG" and len(words) > 1:
                if words[1] not in ("long", "num", "default"):
                    raise PgError(
                        CONFIG_FILE_ERROR,
                        'Ispell dictionary supports only "default", "long", and "num" flag values',
                    )
                self.mode = {"long": "long", "num": "num"}.get(words[1], "char")
            elif words[0] in _COMPOUND_COMMANDS and len(words) > 1:
                for flag in self.split_flags(words[1]):
                    old = self.compound_flags.get(flag, 0)
                    self.compound_flags[flag] = old | _COMPOUND_COMMANDS[words[0]]
                self.use_compound = True
        cross, alias_count = 0, -1
        for line in lines:
            words = line.partition("#")[0].split() if line.startswith("#") else line.split()
            if not words or line[0].isspace() or line.startswith("#"):
                continue
            kind = words[0].lower()
            if kind == "af" and len(words) > 1:
                if alias_count < 0:
                    alias_count = int(words[1])
                else:
                    self.aliases.append(words[1])
            if len(words) < 4 or kind not in ("sfx", "pfx"):
                continue
            if len(words) == 4:
                cross = CROSSPRODUCT if words[2] in "yY" else 0
                continue
            self._hunspell_rule(words, cross)

    def _hunspell_rule(self, words: list[str], cross: int) -> None:
        kind, flag, find, repl, mask = words[:5]
        text, slash, added = repl.partition("/")
        flags = cross
        if slash:
            flags |= self._compound_value(self.split_flags(self._alias(added)))
        self._add_affix(
            flag, flags, mask.lower(), "" if find == "0" else find.lower(),
            "" if text.startswith("0") else text.lower(), kind.lower() == "sfx",
        )  # fmt: skip

    def _add_affix(
        self, flag: str, flags: int, mask: str, find: str, repl: str, is_suffix: bool
    ) -> None:
        """NIAddAffix."""
        pattern = None
        if mask not in (".", ""):
            try:
                pattern = re.compile(f"(?:{mask})$" if is_suffix else f"^(?:{mask})")
            except re.error as error:
                raise PgError("2201B", f"invalid regular expression: {error.msg}") from None
        if flags & (COMPOUNDONLY | COMPOUNDPERMITFLAG) and not flags & COMPOUNDFLAG:
            flags |= COMPOUNDFLAG
        self.affixes.append(Affix(flag, flags, pattern, find, repl, is_suffix))

    def _sort_affixes(self) -> None:
        """NISortAffixes: rules by what they add, shortest first, and those inside compounds."""
        self.by_repl: dict[tuple[bool, str], list[Affix]] = {}
        for affix in self.affixes:
            self.by_repl.setdefault((affix.is_suffix, affix.repl), []).append(affix)
        self.longest = max((len(a.repl) for a in self.affixes), default=0)
        in_use = {flag for flags, _compound in self.words.values() for flag in flags}
        ordered = sorted(
            self.affixes,
            key=lambda a: (a.is_suffix, a.repl[::-1] if a.is_suffix else a.repl),
        )
        self.compound_affixes: list[tuple[str, bool]] = []
        for affix in ordered:
            if not (affix.flags & COMPOUNDFLAG and affix.repl and affix.flag in in_use):
                continue
            if self.compound_affixes:
                last, last_is_suffix = self.compound_affixes[-1]
                if last_is_suffix == affix.is_suffix and affix.repl.endswith(last):
                    continue
            self.compound_affixes.append((affix.repl, affix.is_suffix))

    # -- looking up -----------------------------------------------------------------------------

    def _find_word(self, word: str, flag: str, compound: int) -> bool:
        """FindWord."""
        entry = self.words.get(word)
        if entry is None:
            return False
        compound &= COMPOUNDFLAGMASK
        if compound == 0:
            if entry[1] & COMPOUNDONLY:
                return False
        elif not compound & entry[1]:
            return False
        return not flag or flag in entry[0]

    def _affixes_of(self, word: str, is_suffix: bool) -> list[Affix]:
        """FindAffixes: rules that may have made the word."""
        found: list[Affix] = []
        for length in range(min(len(word), self.longest) + 1):
            part = word[len(word) - length :] if is_suffix else word[:length]
            found += self.by_repl.get((is_suffix, part), ())
        return found

    def _undo(self, word: str, affix: Affix, compound: int, base: int | None) -> str | None:
        """CheckAffix: the base word, or None if the rule cannot have made this one."""
        flags = affix.flags
        if compound == 0:
            if flags & COMPOUNDONLY:
                return None
        elif compound & COMPOUNDBEGIN:
            if flags & COMPOUNDFORBIDFLAG or (not flags & COMPOUNDBEGIN and affix.is_suffix):
                return None
        elif compound & COMPOUNDMIDDLE:
            if not flags & COMPOUNDMIDDLE or flags & COMPOUNDFORBIDFLAG:
                return None
        elif compound & COMPOUNDLAST and (
            flags & COMPOUNDFORBIDFLAG or (not flags & COMPOUNDLAST and not affix.is_suffix)
        ):
            return None
        if affix.is_suffix:
            new = word[: len(word) - len(affix.repl)] + affix.find
        else:
            if base is not None and base + len(affix.find) <= len(affix.repl):
                return None
            new = affix.find + word[len(affix.repl) :]
        return new if affix.mask is None or affix.mask.search(new) else None

    def base_forms(self, word: str, compound: int) -> list[str]:
        """NormalizeSubWord."""
        if len(word) > _MAX_LENGTH:
            return []
        forms: list[str] = []

        def add(form: str) -> None:
            if not forms or forms[-1] != form:
                forms.append(form)

        if self._find_word(word, "", compound):
            add(word)
        for prefix in self._affixes_of(word, False):
            new = self._undo(word, prefix, compound, None)
            if new is not None and self._find_word(new, prefix.flag, compound):
                add(new)
        for suffix in self._affixes_of(word, True):
            new = self._undo(word, suffix, compound, None)
            if new is None:
                continue
            if self._find_word(new, suffix.flag, compound):
                add(new)
            base = len(word) - len(suffix.repl)
            for prefix in self._affixes_of(new, False):
                both = self._undo(new, prefix, compound, base)
                crossed = prefix.flags & suffix.flags & CROSSPRODUCT
                flag = "" if crossed else prefix.flag
                if both is not None and self._find_word(both, flag, compound):
                    add(both)
        return forms

    def lexize(self, word: str) -> list[str] | None:
        """dispell_lexize."""
        word = word.lower()
        found: list[str] = []
        number = 1
        for form in self.base_forms(word, 0):
            found.append(lexeme(form, number))
            number += 1
        if self.use_compound:
            for cut in self._split(None, None, word, 0, -1):
                if len(cut.stems) < 2:
                    continue
                for last in self.base_forms(cut.stems[-1], COMPOUNDLAST):
                    found += [lexeme(stem, number) for stem in cut.stems[:-1]]
                    found.append(lexeme(last, number))
                    number += 1
        if not found:
            return None
        return [one for one in found if one not in self.stop_words]

    def _compound_affix_at(self, first: int, rest: str, in_place: bool) -> tuple[int, int]:
        """CheckCompoundAffixes: (index after the one that was found, its length or 0), or -1."""
        for number in range(first, len(self.compound_affixes)):
            text, is_suffix = self.compound_affixes[number]
            if len(rest) <= len(text):
                continue
            at = (0 if rest.startswith(text) else -1) if in_place else rest.find(text)
            if at >= 0:
                return number + 1, len(text) + at if is_suffix else 0
        return len(self.compound_affixes), -1

    def _split(
        self, node: str | None, origin: SplitVar | None, word: str, start: int, minimum: int
    ) -> list[SplitVar]:
        """SplitToVariants.  node: the part of a dictionary word read so far; None: from `start`."""
        level = minimum if node is not None else start
        path: str | None = node if node is not None else ""
        var = SplitVar(list(origin.stems) if origin is not None else [])
        result = [var]
        tried: set[int] = set()
        end = len(word)
        while level < end:
            result += self._split_at_affix(var, tried, word, path, start, level, minimum)
            if path is None:
                break
            path += word[level]
            if path not in self.prefixes:
                path = None
                level += 1
                continue
            entry = self.words.get(path)
            place = COMPOUNDMIDDLE
            if start == 0:
                place = COMPOUNDBEGIN
            elif level == end - 1:
                place = COMPOUNDLAST
            fits = entry is not None and entry[1] & place and level not in tried
            if fits and level > minimum:
                if end == level + 1:
                    var.stems.append(word[start:])
                    return result
                result += self._split(path[:-1], var, word, start, level)
                level += 1
                var.stems.append(word[start:level])
                path, start = "", level
                continue
            level += 1
        var.stems.append(word[start:])
        return result

    def _split_at_affix(
        self, var: SplitVar, tried: set[int], word: str, path: str | None, start: int,
        level: int, minimum: int,
    ) -> list[SplitVar]:  # fmt: skip
        """Parts that end with an affix which only compounds have."""
        found: list[SplitVar] = []
        number = 0
        while level > start:
            number, length = self._compound_affix_at(number, word[level:], path is not None)
            if length < 0:
                break
            length += level - start
            last = start + length - 1
            if last in tried or level + length - 1 <= minimum or length >= _MAX_LENGTH:
                continue
            place = COMPOUNDMIDDLE
            if level == 0:
                place = COMPOUNDBEGIN
            elif level == len(word) - 1:
                place = COMPOUNDLAST
            forms = self.base_forms(word[start : start + length], place)
            if forms:
                tried.add(last)
                new = SplitVar([*var.stems, *forms])
                found += self._split(None, new, word, start + length, start + length)
        return found


def _numbers(text: str) -> list[str]:
    """Flags that are numbers with commas between them."""
    found: list[str] = []
    rest = text
    while rest.strip():
        number = re.match(r"\s*\d+", rest)
        if number is None:
            raise PgError(CONFIG_FILE_ERROR, f'invalid affix flag "{rest}"')
        found.append(str(int(number[0])))
        between = re.match(r"[\s,]*", rest[number.end() :])
        assert between is not None
        rest = rest[number.end() + between.end() :]
        if rest and not rest[0].isdigit():
            raise PgError(CONFIG_FILE_ERROR, f'invalid character in affix flag "{rest}"')
        if between[0].count(",") > 1 or (rest and "," not in between[0]):
            raise PgError(CONFIG_FILE_ERROR, f'invalid affix flag "{rest}"')
    return found
