"""The English stemmer, from the published description of Porter's second algorithm ("English"
of the Snowball project), and the English stop words of PostgreSQL's english_stem dictionary."""

from __future__ import annotations

import re
from functools import lru_cache

STOP_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
a about above after again against all am an and any are as at be because been before being below
between both but by can did do does doing don down during each few for from further had has have
having he her here hers herself him himself his how i if in into is it its itself just me more
most my myself no nor not now of off on once only or other our ours ourselves out over own s same
she should so some such t than that the their theirs them themselves then there these they this
those through to too under until up very was we were what when where which while who whom why will
with you your yours yourself yourselves
""",
    )
)

VOWELS = "aeiouy"
DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
LI_ENDING = "cdeghkmnrt"
EXCEPTIONS = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    "sky": "sky",
    "news": "news",
    "howe": "howe",
    "atlas": "atlas",
    "cosmos": "cosmos",
    "bias": "bias",
    "andes": "andes",
}
AFTER_1A = frozenset(
    ("inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed")
)
STEP2 = (
    ("ization", "ize"),
    ("ational", "ate"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("tional", "tion"),
    ("biliti", "ble"),
    ("lessli", "less"),
    ("entli", "ent"),
    ("ation", "ate"),
    ("alism", "al"),
    ("aliti", "al"),
    ("ousli", "ous"),
    ("iviti", "ive"),
    ("fulli", "ful"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("abli", "able"),
    ("izer", "ize"),
    ("ator", "ate"),
    ("alli", "al"),
    ("bli", "ble"),
)
STEP3 = (
    ("ational", "ate"),
    ("tional", "tion"),
    ("alize", "al"),
    ("icate", "ic"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
)
STEP4 = (
    "ement",
    "ance",
    "ence",
    "able",
    "ible",
    "ment",
    "ant",
    "ent",
    "ism",
    "ate",
    "iti",
    "ous",
    "ive",
    "ize",
    "al",
    "er",
    "ic",
)
REGION = re.compile("[aeiouy][^aeiouy]")


def regions(word: str) -> tuple[int, int]:
    """Where R1 and R2 begin."""
    for special in ("gener", "commun", "arsen"):
        if word.startswith(special):
            first = len(special)
            break
    else:
        match = REGION.search(word)
        first = match.end() if match else len(word)
    match = REGION.search(word, first)
    return first, match.end() if match else len(word)


def short_syllable(word: str) -> bool:
    """Does the word end in a short syllable?"""
    if len(word) == 2:
        return word[0] in VOWELS and word[1] not in VOWELS
    return (
        len(word) > 2
        and word[-3] not in VOWELS
        and word[-2] in VOWELS
        and word[-1] not in VOWELS + "wxY"
    )


def has_vowel(part: str) -> bool:
    return any(char in VOWELS for char in part)


def marked(word: str) -> str:
    """y that is a consonant becomes Y."""
    out: list[str] = []
    for i, char in enumerate(word):
        consonant = char == "y" and (i == 0 or (out[-1] in VOWELS))
        out.append("Y" if consonant else char)
    return "".join(out)


def step0(word: str) -> str:
    for suffix in ("'s'", "'s", "'"):
        if word.endswith(suffix):
            return word.removesuffix(suffix)
    return word


def step1a(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith(("us", "ss")):
        return word
    if word.endswith("s") and has_vowel(word[:-2]):
        return word[:-1]
    return word


def step1b(word: str, r1: int) -> str:
    for suffix in ("eedly", "eed"):
        if word.endswith(suffix):
            return word.removesuffix(suffix) + "ee" if len(word) - len(suffix) >= r1 else word
    for suffix in ("ingly", "edly", "ing", "ed"):
        if word.endswith(suffix):
            rest = word.removesuffix(suffix)
            if not has_vowel(rest):
                return word
            if rest.endswith(("at", "bl", "iz")):
                return rest + "e"
            if rest.endswith(DOUBLES):
                return rest[:-1]
            if r1 >= len(rest) and short_syllable(rest):
                return rest + "e"
            return rest
    return word


def step1c(word: str) -> str:
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in VOWELS:
        return word[:-1] + "i"
    return word


def step2(word: str, r1: int) -> str:
    for suffix, new in STEP2:
        if word.endswith(suffix):
            return word.removesuffix(suffix) + new if len(word) - len(suffix) >= r1 else word
    if word.endswith("ogi"):
        return word[:-1] if len(word) - 3 >= r1 and word[-4:-3] == "l" else word
    if word.endswith("li") and len(word) - 2 >= r1 and word[-3:-2] in LI_ENDING and len(word) > 2:
        return word[:-2]
    return word


def step3(word: str, r1: int, r2: int) -> str:
    for suffix, new in STEP3:
        if word.endswith(suffix):
            return word.removesuffix(suffix) + new if len(word) - len(suffix) >= r1 else word
    if word.endswith("ative") and len(word) - 5 >= r2:
        return word[:-5]
    return word


def step4(word: str, r2: int) -> str:
    for suffix in STEP4:
        if word.endswith(suffix):
            return word.removesuffix(suffix) if len(word) - len(suffix) >= r2 else word
    if word.endswith("ion") and len(word) - 3 >= r2 and word[-4:-3] in ("s", "t"):
        return word[:-3]
    return word


def step5(word: str, r1: int, r2: int) -> str:
    at = len(word) - 1
    if word.endswith("e") and (at >= r2 or (at >= r1 and not short_syllable(word[:-1]))):
        return word[:-1]
    if word.endswith("l") and at >= r2 and word[-2:-1] == "l":
        return word[:-1]
    return word


@lru_cache(maxsize=8192)
def english_stem(word: str) -> str:
    """The stem of a lower-case word."""
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    if len(word) < 3:
        return word
    word = marked(word.removeprefix("'"))
    r1, r2 = regions(word)
    word = step1a(step0(word))
    if word in AFTER_1A:
        return word
    word = step1c(step1b(word, r1))
    word = step5(step4(step3(step2(word, r1), r1, r2), r2), r1, r2)
    return word.replace("Y", "y")
