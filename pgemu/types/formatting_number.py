"""Format pictures of numbers: to_char (PostgreSQL: formatting.c, NUM)."""

from __future__ import annotations

from copy import copy
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from typing import Any

from pgemu.errors import INVALID_TEXT_REPRESENTATION, SYNTAX_ERROR, PgError
from pgemu.fmgr import pg_function
from pgemu.types.formatting import ordinal
from pgemu.types.integers import INT4
from pgemu.types.numeric_ops import to_integer

KEYWORDS = sorted(
    [
        ",",
        ".",
        "0",
        "9",
        "B",
        "C",
        "D",
        "EEEE",
        "FM",
        "G",
        "L",
        "MI",
        "PL",
        "PR",
        "RN",
        "SG",
        "SP",
        "S",
        "TH",
        "V",
        "b",
        "c",
        "d",
        "eeee",
        "fm",
        "g",
        "l",
        "mi",
        "pl",
        "pr",
        "rn",
        "sg",
        "sp",
        "s",
        "th",
        "v",
    ],
    key=len,
    reverse=True,
)


class NumDesc:
    """NUMDesc: what a picture asks for."""

    def __init__(self) -> None:
        self.pre = self.post = self.multi = 0
        self.lsign = ""
        self.pre_lsign_num = 0
        self.zero_start = self.zero_end = 0
        self.flags: set[str] = set()
        self.nodes: list[tuple[str, str]] = []

    def has(self, *flags: str) -> bool:
        return not self.flags.isdisjoint(flags)


def refuse(message: str) -> PgError:
    return PgError(SYNTAX_ERROR, message)


def prepare(desc: NumDesc, word: str) -> None:
    """NUMDesc_prepare for one keyword."""
    has, flags = desc.has, desc.flags
    if has("EEEE") and word != "EEEE":
        raise refuse('"EEEE" must be the last pattern used')
    if word in ("9", "0"):
        if has("BRACKET"):
            raise refuse(f'"{word}" must be ahead of "PR"')
        if word == "9" and has("MULTI"):
            desc.multi += 1
            return
        if word == "0" and not has("ZERO", "DECIMAL"):
            flags.add("ZERO")
            desc.zero_start = desc.pre + 1
        if has("DECIMAL"):
            desc.post += 1
        else:
            desc.pre += 1
        if word == "0":
            desc.zero_end = desc.pre + desc.post
    elif word == "B":
        if not desc.pre and not desc.post and not has("ZERO"):
            flags.add("BLANK")
    elif word in (".", "D"):
        if has("DECIMAL"):
            raise refuse("multiple decimal points")
        if has("MULTI"):
            raise refuse('cannot use "V" and decimal point together')
        flags.add("DECIMAL")
    elif word == "FM":
        flags.add("FILLMODE")
    elif word == "V":
        if has("DECIMAL"):
            raise refuse('cannot use "V" and decimal point together')
        flags.add("MULTI")
    elif word == "RN":
        flags.add("ROMAN")
    elif word == "EEEE":
        if has("EEEE"):
            raise refuse('cannot use "EEEE" twice')
        if has("BLANK", "FILLMODE", "LSIGN", "BRACKET", "MINUS", "PLUS", "ROMAN", "MULTI"):
            raise PgError(
                SYNTAX_ERROR,
                '"EEEE" is incompatible with other formats',
                detail='"EEEE" may only be used together with digit and decimal point patterns.',
            )
        flags.add("EEEE")
    else:
        prepare_sign(desc, word)


def prepare_sign(desc: NumDesc, word: str) -> None:
    has, flags = desc.has, desc.flags
    if word == "S":
        if has("LSIGN"):
            raise refuse('cannot use "S" twice')
        if has("PLUS", "MINUS", "BRACKET"):
            raise refuse('cannot use "S" and "PL"/"MI"/"SG"/"PR" together')
        if not has("DECIMAL"):
            desc.lsign, desc.pre_lsign_num = "pre", desc.pre
        else:
            desc.lsign = "post"
        flags.add("LSIGN")
    elif word in ("MI", "PL", "SG"):
        if has("LSIGN"):
            raise refuse(f'cannot use "S" and "{word}" together')
        if word in ("MI", "SG"):
            flags.add("MINUS")
        if word in ("PL", "SG"):
            flags.add("PLUS")
    elif word == "PR":
        if has("LSIGN", "PLUS", "MINUS"):
            raise refuse('cannot use "PR" and "S"/"PL"/"MI"/"SG" together')
        flags.add("BRACKET")


@lru_cache(maxsize=256)
def parse_picture(picture: str) -> tuple[tuple[str, str], ...]:
    """(keyword or "", text) in order."""
    nodes: list[tuple[str, str]] = []
    at = 0
    while at < len(picture):
        word = next((w for w in KEYWORDS if picture.startswith(w, at)), None)
        if word is not None:
            at += len(word)
            name = word if word in ("rn", "th") else word.upper()
            nodes.append((name, word))
        elif picture[at] == '"':
            at += 1
            while at < len(picture) and picture[at] != '"':
                if picture[at] == "\\" and at + 1 < len(picture):
                    at += 1
                nodes.append(("", picture[at]))
                at += 1
            at += 1
        else:
            if picture[at] == "\\" and picture[at + 1 : at + 2] == '"':
                at += 1
            nodes.append(("", picture[at]))
            at += 1
    return tuple(nodes)


def describe(picture: str) -> NumDesc:
    """What a picture asks for; writing a number changes the description."""
    desc = copy(_description(picture))
    desc.flags = set(desc.flags)
    return desc


@lru_cache(maxsize=256)
def _description(picture: str) -> NumDesc:
    desc = NumDesc()
    for word, text in parse_picture(picture):
        if word:
            prepare(desc, word.upper())
        desc.nodes.append((word, text))
    return desc


class NumberWriter:
    """NUM_processor for output: walks the picture over the digits of `number`."""

    def __init__(self, desc: NumDesc, number: str, sign: str, spaces: int) -> None:
        self.desc = desc
        self.number = number
        self.sign = sign
        self.spaces = spaces
        self.out: list[str] = []
        self.at = 0
        self.current = 0
        self.in_number = False
        self.last_relevant = -1
        flags = desc.flags
        if desc.has("PLUS", "MINUS"):
            self.sign_wrote = not (desc.has("PLUS") and not desc.has("MINUS"))
        else:
            if sign != "-" and desc.has("BRACKET") and desc.has("FILLMODE"):
                flags.discard("BRACKET")
            self.sign_wrote = sign == "+" and desc.has("FILLMODE") and not desc.has("LSIGN")
            if desc.lsign == "pre" and desc.pre == desc.pre_lsign_num:
                desc.lsign = "post"
        desc.zero_start = max(desc.zero_start - 1, 0)
        self.count = desc.post + desc.pre - 1
        if desc.has("FILLMODE") and desc.has("DECIMAL"):
            self.last_relevant = self.find_last_relevant()
        if not self.sign_wrote and spaces == 0:
            self.count += 1

    def find_last_relevant(self) -> int:
        point = self.number.find(".")
        if point < 0:
            return -1
        last = point
        for index in range(point + 1, len(self.number)):
            if self.number[index] != "0":
                last = index
        if self.desc.zero_end > self.spaces:
            last = max(last, min(len(self.number) - 1, self.desc.zero_end - self.spaces))
        return last

    def relevant_is_point(self) -> bool:
        return self.last_relevant >= 0 and self.number[self.last_relevant] == "."

    def predec_space(self) -> bool:
        desc = self.desc
        return not desc.has("ZERO") and self.at == 0 and self.number[:1] == "0" and desc.post != 0

    def write_sign(self) -> None:
        desc = self.desc
        ready = self.current >= self.spaces or (
            desc.has("ZERO") and desc.zero_start == self.current
        )
        if self.sign_wrote or not ready:
            return
        if self.predec_space() and not self.relevant_is_point():
            return
        if desc.has("LSIGN"):
            if desc.lsign == "pre":
                self.out.append(self.sign)
                self.sign_wrote = True
        elif desc.has("BRACKET"):
            self.out.append(" " if self.sign == "+" else "<")
            self.sign_wrote = True
        elif self.sign == "+":
            if not desc.has("FILLMODE"):
                self.out.append(" ")
            self.sign_wrote = True
        else:
            self.out.append("-")
            self.sign_wrote = True

    def numpart(self, word: str) -> None:
        desc = self.desc
        fill = desc.has("FILLMODE")
        self.in_number = False
        self.write_sign()
        zero = desc.has("ZERO")
        if self.current < self.spaces and (not zero or desc.zero_start > self.current):
            if not fill:
                self.out.append(" ")
        elif zero and self.current < self.spaces:
            self.out.append("0")
            self.in_number = True
        else:
            self.write_digit(word, fill)
        end = self.count + (1 if self.spaces else 0) + (1 if desc.has("DECIMAL") else 0)
        if self.last_relevant >= 0 and self.last_relevant == self.at:
            end = self.current
        if self.current + 1 == end:
            if self.sign_wrote and desc.has("BRACKET"):
                self.out.append(" " if self.sign == "+" else ">")
            elif desc.has("LSIGN") and desc.lsign == "post":
                self.out.append(self.sign)
        self.current += 1

    def write_digit(self, word: str, fill: bool) -> None:
        char = self.number[self.at : self.at + 1]
        if char == ".":
            if not self.relevant_is_point() or fill:
                self.out.append(".")
        elif self.last_relevant >= 0 and self.at > self.last_relevant and word != "0":
            pass
        elif self.predec_space():
            if not fill:
                self.out.append(" ")
            elif self.relevant_is_point():
                self.out.append("0")
        else:
            # past the number's end C writes the terminator of the string, which ends the result
            self.out.append(char or "\0")
            self.in_number = True
        if char:
            self.at += 1

    def run(self) -> str:
        desc, fill = self.desc, self.desc.has("FILLMODE")
        for word, text in desc.nodes:
            if not word:
                self.out.append(text)
            elif word in ("9", "0", ".", "D"):
                self.numpart(word)
            elif word in (",", "G"):
                if self.in_number:
                    self.out.append(",")
                elif not fill:
                    self.out.append(" ")
            elif word == "L":
                self.out.append(" ")
            elif word in ("TH", "th"):
                if self.number[:1] != "#" and self.sign != "-" and not desc.has("DECIMAL"):
                    if not self.number[-1:].isdigit():
                        raise not_a_number(self.number)
                    self.out.append(ordinal(self.number, word)[len(self.number) :])
            elif word == "MI":
                self.out.append("-" if self.sign == "-" else "" if fill else " ")
            elif word == "PL":
                self.out.append("+" if self.sign == "+" else "" if fill else " ")
            elif word == "SG":
                self.out.append(self.sign)
        return "".join(self.out).partition("\0")[0]


def not_a_number(text: str) -> PgError:
    return PgError(INVALID_TEXT_REPRESENTATION, f'"{text}" is not a number')


ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
         (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


def roman(number: int, desc: NumDesc) -> str:
    if not 0 < number < 4000:
        text = "#" * 15
    else:
        text = ""
        for value, letters in ROMAN:
            while number >= value:
                text += letters
                number -= value
    if not desc.has("FILLMODE"):
        text = text.rjust(15)
    out = []
    for word, literal in desc.nodes:
        if word in ("RN", "rn"):
            out.append(text if word == "RN" else text.lower())
        elif not word:
            out.append(literal)
        elif word == "SG":
            break  # there is no sign: C writes the terminator of the string
        elif word == "L" or (word in (",", "G", "MI", "PL") and not desc.has("FILLMODE")):
            out.append(" ")
    return "".join(out)


def scientific(value: Decimal, digits: int) -> str:
    with localcontext() as context:
        context.prec = max(digits + 1, 1)
        context.rounding = ROUND_HALF_UP
        text = f"{value:.{digits}e}" if value else f"{0:.{digits}f}e+00"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{int(exponent[1:]):02d}"


def number_to_char(value: str, picture: str, kind: str) -> str:
    desc = describe(picture)
    special = value in ("NaN", "Infinity", "-Infinity", "inf", "-inf")
    if desc.has("EEEE"):
        if special:
            body = "#" * (desc.pre + desc.post + 5)
            return " " + body[: desc.pre] + "." + body[desc.pre + 1 :]
        text = scientific(Decimal(value), desc.post)
        return text if text.startswith("-") else " " + text
    if desc.has("ROMAN") and kind in ("numeric", "int8"):
        return roman(to_integer(value, INT4), desc)
    if special and desc.has("ROMAN"):
        return roman(0, desc)
    if value.endswith("Infinity") and kind == "float4":
        desc.post = 0  # as many digits as a float4 has are used up
    if special:
        number, sign = value.lstrip("-"), "-" if value.startswith("-") else "+"
        if len(number) > desc.pre:
            number = "#" * desc.pre + "." + "#" * desc.post
            return NumberWriter(desc, number, sign, 0).run()
        return NumberWriter(desc, number, sign, desc.pre - len(number)).run()
    with localcontext() as context:
        context.prec = 2000
        exact = Decimal(value)
        if desc.has("ROMAN"):
            return roman(int(exact.to_integral_value(ROUND_HALF_EVEN)), desc)
        if desc.has("MULTI"):
            exact = exact.scaleb(desc.multi)
            desc.pre += desc.multi
        post = desc.post
        rounding = ROUND_HALF_UP
        if kind in ("float4", "float8"):
            digits = 6 if kind == "float4" else 15
            size = len(f"{abs(exact):.0f}")
            post = 0 if size >= digits else min(post, digits - size)
            rounding = ROUND_HALF_EVEN
        rounded = exact.quantize(Decimal(1).scaleb(-post), rounding=rounding)
    text = f"{rounded:f}"
    sign = "-" if text.startswith("-") else "+"
    number = text.lstrip("-")
    if sign == "-" and not rounded and kind not in ("float4", "float8"):
        sign = "+"
    size = len(number.partition(".")[0])
    spaces = 0
    if size < desc.pre:
        spaces = desc.pre - size
    elif size > desc.pre:
        number = "#" * desc.pre + "." + "#" * post
    return NumberWriter(desc, number, sign, spaces).run()


@pg_function("to_char(numeric, text)")
def numeric_to_char(value: str, picture: str) -> str:
    return number_to_char(value, picture, "numeric") if picture else ""


@pg_function("to_char(int4, text)", "to_char(int8, text)")
def int_to_char(value: int, picture: str) -> str:
    if not picture:
        return ""
    plain = _plain_digits(picture)
    return number_to_char(str(value), picture, "int8") if plain is None else _digits(value, plain)


@lru_cache(maxsize=256)
def _plain_digits(picture: str) -> tuple[int, int, bool] | None:
    """(digits, how many of them at least, no padding) of a picture of 0, 9 and FM alone."""
    words = [word for word, _ in parse_picture(picture)]
    digits = [word for word in words if word in ("0", "9")]
    if not digits or len(digits) + words.count("FM") != len(words) or words.count("FM") > 1:
        return None
    zero = digits.index("0") if "0" in digits else len(digits)
    return len(digits), len(digits) - zero, "FM" in words


def _digits(value: int, plain: tuple[int, int, bool]) -> str:
    width, least, fill = plain
    text = str(abs(value)).zfill(least)
    if len(text) > width:
        text = "#" * width
    if fill:
        return "-" + text if value < 0 else text
    return (("-" if value < 0 else " ") + text).rjust(width + 1)


def _float_text(value: Any) -> str:
    return value if value == "NaN" else repr(value).replace("inf", "Infinity")


@pg_function("to_char(float8, text)")
def float8_to_char(value: Any, picture: str) -> str:
    return number_to_char(_float_text(value), picture, "float8") if picture else ""


@pg_function("to_char(float4, text)")
def float4_to_char(value: Any, picture: str) -> str:
    return number_to_char(_float_text(value), picture, "float4") if picture else ""
