"""What codes of a list look as if they had lost on their way through a spreadsheet. Nothing is ever mended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from pipeline.understanding.gtin import LENGTHS, is_gtin
from pipeline.understanding.mapped import Fields
from pipeline.understanding.table import Table
from pipeline.understanding.text import TextInvalid, cell_text, clean

ENOUGH = 20
"""Codes below which their widths say nothing."""
MOST = 0.8
_TWO_SCRIPTS = re.compile(r"(?=.*[A-Za-z])(?=.*[\u0400-\u04ff])", re.DOTALL)
_FULL_WIDTH = re.compile("[\uff01-\uff5e]")


def code_warnings(table: Table, fields: Fields) -> list[str]:
    """Sentences with counts, of the rows that were looked at."""
    found: list[str] = []
    for field in ("sku", "gtin"):
        for column in fields.get(field, ()):
            header = table.header(column.index)
            codes = _texts(table, column.index)
            found += [f"“{header}”: {sentence}" for sentence in _doubts(codes, gtin=field == "gtin")]
    return found


def has_exponent(text: str) -> bool:
    """True for a number as a spreadsheet shows one that is too long: 1,23457E+12, 1.5E15, 1E+12; not for 1E12, which
    may be a code."""
    mantissa, _, exponent = text.upper().partition("E")
    whole, mark, fraction = mantissa.replace(",", ".").partition(".")
    signed = exponent[:1] == "+"
    digits = exponent[1:] if signed else exponent
    if not (text.isascii() and len(whole) == 1 and digits.isdigit()):
        return False
    return (not mark and signed) or (bool(mark) and fraction.isdigit())


def _texts(table: Table, index: int) -> list[str]:
    texts = []
    for cell in table.values(index):
        try:
            texts.append(clean(cell_text(cell)))
        except TextInvalid:
            continue
    return [text for text in texts if text]


def _doubts(codes: Sequence[str], *, gtin: bool) -> list[str]:
    numeric = [code for code in codes if code.isascii() and code.isdigit()]
    found: list[str] = []
    if gtin or (numeric and sum(map(is_gtin, numeric)) >= MOST * len(codes) and len(codes) >= ENOUGH):
        found += _of_gtins(codes, numeric)
    elif len(codes) >= ENOUGH and len(numeric) >= MOST * len(codes):
        found += _of_numbers(numeric)
    if not gtin:
        _count(found, codes, lambda code: code[0] == "'", "begin with an apostrophe, which is kept as a part of them")
        _count(found, codes, _mixed, "mix Latin and Cyrillic letters; they are kept as they are")
        _count(found, codes, _wide, "hold full-width characters; they are kept as they are")
    return found


def _mixed(code: str) -> bool:
    return not code.isascii() and _TWO_SCRIPTS.match(code) is not None


def _wide(code: str) -> bool:
    return not code.isascii() and _FULL_WIDTH.search(code) is not None


def _of_gtins(codes: Sequence[str], numeric: Sequence[str]) -> list[str]:
    found: list[str] = []
    cut = sum(has_exponent(code) for code in codes)
    if cut:
        found.append(f"{cut} of {len(codes)} codes have lost digits to a spreadsheet (4.00638E+12)")
    width, count = _main_width(numeric)
    short = {
        code
        for code in numeric
        if width in LENGTHS and len(code) < width and count >= MOST * len(numeric) and is_gtin(code.zfill(width))
    }
    if short:
        count = sum(code in short for code in numeric)
        found.append(
            f"{count} of {len(codes)} codes have fewer than {width} digits and are right with zeros in front "
            f"(“{min(short)}”): leading zeros may have been lost; they are kept as they are"
        )
    wrong = [code for code in numeric if len(code) in LENGTHS and not is_gtin(code) and code not in short]
    if wrong:
        found.append(
            f"{len(wrong)} of {len(codes)} codes have a wrong check digit (“{wrong[0]}”); they are kept as text"
        )
    return found


def _of_numbers(numeric: Sequence[str]) -> list[str]:
    """Where a spreadsheet cut zeros, about a tenth of the codes is shorter, and none of these begins with 0."""
    width, count = _main_width(numeric)
    short = [code for code in numeric if len(code) < width]
    if width < 5 or not short or count < MOST * len(numeric) or any(code[0] == "0" for code in short):
        return []
    what = f"codes have fewer than {width} digits (“{short[0]}”): leading zeros may have been lost"
    return [f"{len(short)} of {len(numeric)} {what}; they are kept as they are"]


def _main_width(numeric: Sequence[str]) -> tuple[int, int]:
    widths = Counter(map(len, numeric)).most_common(1)
    return widths[0] if widths else (0, 0)


def _count(found: list[str], codes: Sequence[str], test: Callable[[str], object], what: str) -> None:
    count = sum(bool(test(code)) for code in codes)
    if count:
        found.append(f"{count} of {len(codes)} codes {what}")
