"""Makes one cell of the two ways to read it, and tells in which currency a column is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from contracts.rows import Cell
from parsers.values import EXACT, cell

_BESIDE = re.compile(r"[\d\s.,'’٬٫()+\-−\u200e\u200f%]+")
"""What belongs to the number itself."""
_LONGEST_SIGN = 12


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of one tab, all of the same width."""

    rows: list[list[Cell]]
    currencies: tuple[tuple[int, str], ...]
    """(column, sign) where all numbers of a column are shown with the same one."""


def grid(shown: Sequence[Sequence[Any]], stored: Sequence[Sequence[Any]]) -> Grid:
    """Rows may be ragged in both, and missing at the end of either. Where only some numbers of a column carry a sign,
    or different ones, the sign stays with the number."""
    width = max(map(len, shown), default=0)
    rows: list[list[Cell]] = []
    signs: dict[int, set[str]] = {}
    for place, texts in enumerate(shown):
        values = stored[place] if place < len(stored) else []
        row = [merged(text, values[column] if column < len(values) else None) for column, text in enumerate(texts)]
        rows.append(row + [None] * (width - len(row)))
        for column in _numeric(row):
            signs.setdefault(column, set()).add(sign_beside(str(texts[column])))
    alike = {column: next(iter(found)) for column, found in signs.items() if len(found) == 1}
    for column in signs.keys() - alike.keys():
        for row, texts in zip(rows, shown, strict=True):
            number = row[column]
            if isinstance(number, Decimal) and (sign := sign_beside(str(texts[column]))):
                row[column] = _with_sign(number, sign)
    return Grid(rows, tuple(sorted((column, sign) for column, sign in alike.items() if sign)))


def _numeric(row: Sequence[Cell]) -> list[int]:
    return [column for column, value in enumerate(row) if isinstance(value, Decimal)]


def _with_sign(number: Decimal, sign: str) -> str:
    """With a dot for decimals, never three of them: nobody can take it for a separator of thousands."""
    text = format(number, "f")
    return f"{text}{'0' if len(text.partition('.')[2]) == 3 else ''} {sign}"


def sign_beside(shown: str) -> str:
    """What stands beside a shown number: "€", "CHF", "zł"; '' if nothing does."""
    rest = " ".join(_BESIDE.sub(" ", shown).split())
    return rest if len(rest) <= _LONGEST_SIGN else ""


def merged(shown: Any, stored: Any) -> Cell:
    """One cell from both ways to read it. The shown text may round and may mean two numbers ("1.234"); the
    stored number is exact but has lost the zeros of a code. Where the two do not fit together (a format that
    scales, an edit between the two requests) the shown text stands."""
    text = shown if isinstance(shown, str) else str(shown)
    if isinstance(stored, bool):
        return stored
    if not isinstance(stored, (int, float)) or not text:
        return text or None
    if text.isascii() and text.isdecimal() and text != "0" and text.startswith("0"):
        return text
    if abs(stored) >= EXACT or "%" in text:
        return text
    return cell(stored) if _fits(text, Decimal(f"{stored:.15g}")) else text


def _fits(text: str, number: Decimal) -> bool:
    if re.search(r"\d[eE][+-]?\d", text):
        return True
    digits = re.sub(r"[^0-9]", "", text).lstrip("0")
    for decimals in range(11):
        rounded = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        if format(abs(rounded), "f").replace(".", "").lstrip("0") == digits:
            return True
    return False
