"""to_number: text by a picture (PostgreSQL: formatting.c, NUM_processor reading).

Each node of the picture consumes a character of the text, whether it fits or not, so that a space
or a letter in the place of a digit uses the digit up.
"""

from __future__ import annotations

from decimal import Decimal

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.formatting_number import NumDesc, describe
from pgemu.types.numeric_math import numeric_power
from pgemu.types.numeric_ops import numeric_mul

DATA = "0123456789.,+-"
NUMERICOID = 1700
VARHDRSZ = 4


class NumberReader:
    """The state of NUM_processor while it reads."""

    def __init__(self, desc: NumDesc, text: str) -> None:
        self.desc = desc
        self.text = text
        self.at = 0
        self.sign = ""
        self.number = ""
        self.pre = self.post = 0
        self.seen_point = False

    @property
    def char(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.at : self.at + 1]

    def run(self) -> str:
        for word, _literal in self.desc.nodes:
            if not self.char:
                break
            if not word or self.takes(word):
                self.at += 1
        return self.sign + self.number.removesuffix(".")

    def takes(self, word: str) -> bool:
        """One keyword; False if it leaves the position alone or has moved it itself."""
        if word in ("9", "0", ".", "D"):
            self.part(word)
            return True
        if word in (",", "G"):
            return self.char == "," and not self.desc.has("FILLMODE")
        if word in ("MI", "PL", "SG"):
            signs = {"MI": "-", "PL": "+", "SG": "-+"}[word]
            if self.char in signs:
                self.sign = self.char
                return True
            self.skip(1)
        elif word == "L":
            self.skip(1)
        elif word in ("TH", "th") and self.sign != "-" and not self.desc.has("DECIMAL"):
            self.skip(2)
        return False

    def skip(self, count: int) -> None:
        """NUM_eat_non_data_chars."""
        while count and self.char and self.char not in DATA:
            self.at += 1
            count -= 1

    def part(self, word: str) -> None:
        """NUM_numpart_from_char: a sign before the number, a digit or the point, a sign after."""
        if self.char == " ":
            self.at += 1
        if not self.char:
            return
        first = not self.sign and not self.pre + self.post
        if first and word in ("9", "0"):
            self.leading_sign()
            if not self.char:
                return
        read = False
        if self.char.isdigit() and self.char.isascii():
            if self.seen_point and self.post == self.desc.post:
                return
            self.number += self.char
            self.post += self.seen_point
            self.pre += not self.seen_point
            read = True
        elif self.desc.has("DECIMAL") and not self.seen_point and self.char == ".":
            self.number += "."
            self.seen_point = read = True
        if not self.sign and self.pre + self.post:
            self.trailing_sign(read)

    def leading_sign(self) -> None:
        if self.desc.has("LSIGN") and self.desc.lsign == "pre":
            signs = "-+"
        else:
            signs = "-+<" if self.desc.has("BRACKET") else "-+"
        if self.char in signs:
            self.sign = "+" if self.char == "+" else "-"
            self.at += 1

    def trailing_sign(self, read: bool) -> None:
        if self.desc.has("LSIGN") and read:
            following = self.text[self.at + 1 : self.at + 2]
            if following and following in "-+":
                self.sign = following
                self.at += 1
        elif not read and self.desc.has("PLUS", "MINUS") and self.char in "-+":
            self.sign = self.char


@pg_function("to_number(text, text)", context=True)
def numeric_to_number(ctx: CallContext, text: str, picture: str) -> str | None:
    if not picture:
        return None
    desc = describe(picture)
    if desc.has("EEEE"):
        raise PgError(FEATURE_NOT_SUPPORTED, '"EEEE" not supported for input')
    if desc.has("ROMAN"):
        raise PgError(FEATURE_NOT_SUPPORTED, '"RN" not supported for input')
    reader = NumberReader(desc, text)
    number = reader.run()
    precision = desc.pre + desc.multi + reader.post
    typmod = (precision << 16 | reader.post) + VARHDRSZ
    # the sign's place is a space when no sign was read
    shown = number if reader.sign else f" {number}"
    result = str(ctx.catalog.types.io(NUMERICOID).input(shown, typmod, ctx))
    if desc.has("MULTI"):
        return numeric_mul(result, numeric_power("10", str(Decimal(-desc.multi))))
    return result
