"""What a number format of a spreadsheet says about its numbers: code, percent, date, currency."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from contracts.rows import Cell
from parsers.values import EXACT, cell

_TOKEN = re.compile(r'"([^"]*)"?|\\(.)|[_*].?|\[\$([^\]-]*)(?:-([0-9A-Fa-f]+))?\]|\[([^\]]*)\]|(.)', re.DOTALL)
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_BUILTIN: dict[int, str] = {
    9: "0%", 10: "0.00%", 14: "m/d/yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mmss.0",
} | dict.fromkeys((*range(27, 37), *range(50, 59)), "m/d/yy")  # fmt: skip
"""ECMA-376 part 1, 18.8.30. The built-in currency formats (5-8, 37-44) are left out: they show the currency of the
computer that opens the file."""

_BY_LOCALE = {
    "$": {0x409: "USD", 0x1009: "CAD", 0xC0C: "CAD", 0xC09: "AUD", 0x1409: "NZD", 0x80A: "MXN", 0x340A: "CLP",
          0x2C0A: "ARS", 0x240A: "COP", 0x4809: "SGD", 0xC04: "HKD", 0x404: "TWD"},
    "kr": {0x41D: "SEK", 0x406: "DKK", 0x414: "NOK", 0x814: "NOK", 0x40F: "ISK"},
    "¥": {0x411: "JPY", 0x804: "CNY"},
    "￥": {0x411: "JPY", 0x804: "CNY"},
    "р": {0x419: "RUB", 0x423: "BYN"},
    "R": {0x1C09: "ZAR", 0x409: "ZAR", 0x436: "ZAR"},
    "lei": {0x418: "RON", 0x818: "MDL"},
}  # fmt: skip
"""Signs that several currencies use, by the Windows language identifier beside them ([$kr-41D])."""


class Shown(NamedTuple):
    """How cells of one number format are shown."""

    kind: Literal["plain", "code", "percent", "date", "elapsed"] = "plain"
    pattern: str = ""
    """Of a code: its zeros and the text between them."""
    sign: str | None = None
    """Currency sign, code or word beside the number, as the format writes it; a code where a locale settles it."""


PLAIN = Shown()
NO_RESULT = "#FORMULA!"
"""In the place of a formula whose result is not in the file, because no program has computed it yet."""


def builtin(identifier: int) -> str:
    """The format of a number below 164; "General" for those that say nothing here."""
    return _BUILTIN.get(identifier, "General")


@lru_cache(maxsize=4_096)
def shown(number_format: str) -> Shown:
    """By the part of the format that positive numbers use."""
    places: list[str] = []
    literals: list[str] = []
    sign = None
    for match in _TOKEN.finditer(number_format):
        quoted, escaped, symbol, locale, bracket, bare = match.groups()
        if bare == ";":
            break
        if symbol:
            sign = _sign(symbol, locale)
        elif bracket is not None:
            if _ELAPSED.fullmatch(bracket):
                return Shown("elapsed")
            if bracket[:1] in "<>=":
                return PLAIN
        elif quoted is not None or escaped is not None:
            text = escaped if quoted is None else quoted
            literals.append(text)
            places.append(f"\0{text}\0")
        elif bare is not None:
            places.append(bare)
    placed = "".join(places)
    bare_places = re.sub("\0[^\0]*\0", "", placed)
    kind: Literal["plain", "code", "percent", "date"] = "plain"
    if "%" in bare_places:
        kind = "percent"
    elif _is_date(bare_places):
        kind = "date"
    elif (
        re.fullmatch(r"[0\-/ ().]*0[0\-/ ().]*", bare_places) and bare_places.count("0") > 1 and not _is_amount(placed)
    ):
        return Shown("code", re.sub("\0", "", placed) if _safe(literals) else "", sign)
    if kind == "plain" and sign is None and any(mark in bare_places for mark in "0#?"):
        sign = _written(literals, bare_places)
    return Shown(kind, "", sign)


def _safe(literals: list[str]) -> bool:
    return not any("0" in text for text in literals)


def _is_amount(placed: str) -> bool:
    """0.00 and the like: one full stop between zeros that is no literal."""
    return "." in re.sub("\0[^\0]*\0", "", placed)


def _is_date(places: str) -> bool:
    letters = re.sub(r"(?i)general|e[+-]|am/pm|a/p", "", places)
    return any(mark in "dmyhsDMYHS" for mark in letters) and not any(mark in "#?" for mark in letters)


def _written(literals: list[str], places: str) -> str | None:
    """The first word beside the number, of what stands in quotes or is a currency sign that needs none."""
    text = " ".join((*literals, *(mark for mark in places if mark in "€$£¥￥₽₴₸₩₹₺")))
    words = re.split(r"[\s\u00a0/]+", text.strip())
    word = next((word for word in words if word), "").strip(".,()-+")
    return word if word and len(word) <= 12 and not any(map(str.isdigit, word)) else None


def _sign(symbol: str, locale: str | None) -> str:
    text = symbol.strip().rstrip(".")
    number = int(locale, 16) & 0xFFFF if locale else 0
    return _BY_LOCALE.get(text, {}).get(number, text)


def number(text: str) -> Cell:
    """A number as a workbook writes it; what is none stays the text that it is."""
    # up to 15 digits a binary number gives its decimals back unchanged
    if len(text) <= 15 and text.isascii() and text.isdigit():
        return Decimal(text)
    try:
        return cell(float(text))
    except ValueError:
        return text or None


def as_shown(value: Cell, how: Shown, *, money: bool = False) -> Cell:
    """A number as a person sees it where the number alone would say something else: codes with their zeros, percent,
    and, with `money`, an amount with its currency."""
    if not isinstance(value, Decimal):
        return value
    if how.kind == "code":
        return coded(value, how.pattern)
    if how.kind == "percent":
        return f"{_plain(value * 100)}%"
    if money and how.sign is not None:
        text = _plain(value)
        # three decimals could be taken for thousands
        return f"{text}{'0' if len(text.partition('.')[2]) == 3 else ''} {how.sign}"
    return value


def coded(value: Decimal, pattern: str) -> Cell:
    """A whole number filled into the zeros of a pattern from the right: 1234567 in 0000-000 is 1234-567."""
    if not pattern or value != value.to_integral_value() or value < 0 or value >= Decimal(EXACT):
        return value
    count = pattern.count("0")
    digits = f"{int(value):0{count}d}"
    if count == len(pattern):
        return digits
    surplus = len(digits) - count
    at, out = surplus, []
    for place in pattern:
        if place == "0":
            out.append(digits[: surplus + 1] if at == surplus else digits[at])
            at += 1
        else:
            out.append(place)
    return "".join(out)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(serial: float, *, from_1904: bool, elapsed: bool = False) -> Cell:
    """ISO 8601 text of a date serial; what no calendar has stays a number."""
    if elapsed:
        seconds = round(serial * 86_400)
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    milliseconds = round(serial * 86_400_000)
    if not 0 <= milliseconds < 2_958_466 * 86_400_000:
        return cell(serial)
    if milliseconds < 86_400_000 and not from_1904:
        clock = datetime(1900, 1, 1) + timedelta(milliseconds=milliseconds)  # noqa: DTZ001 (spreadsheets know no zones)
        return cell(time(clock.hour, clock.minute, clock.second, clock.microsecond))
    # the calendar of 1900 has a 29th of February that never was
    first = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if serial < 60 else 30)  # noqa: DTZ001
    try:
        return cell(first + timedelta(milliseconds=milliseconds))
    except OverflowError:
        return cell(serial)
