"""Whether the values of a column agree with what its header promises."""

from __future__ import annotations

import re

from contracts.rows import Cell
from pipeline.understanding.gtin import is_gtin
from pipeline.understanding.table import Figures, Table
from pipeline.understanding.text import cell_text
from pipeline.understanding.written import take_apart

PROOF = 10
"""Fewer values prove no pattern."""
LOOKED_AT = 500
"""Values of a column whose form is looked at."""

MAYBE_QUANTITY = "could be a quantity: no value has decimals or a currency"
MAYBE_WEIGHT = "could be a weight: no value has a currency"
NO_CODES = "does not hold codes"

_DATE = re.compile(
    r"(?:\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|"
    r"\d{1,2}[-. ]?[^\W\d_]{3,9}\.?[-. ,]?\s?\d{2,4})(?:[ T]\d{1,2}:\d{2}.*)?"
)
_PERCENT = re.compile(r"[-+]?\d+(?:[.,]\d+)?\s?[%％]|[%％]\s?\d+(?:[.,]\d+)?")
_PHONE = re.compile(r"(?:\+\d|\(\d{2,5}\)|0\d{1,4}[ /-])[\d ()/-]{5,}\d")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+", re.IGNORECASE)


def form(cell: Cell) -> str:
    """date, percent, phone or address, where a whole text is one; else ''."""
    if not isinstance(cell, str):
        return ""
    text = cell.strip()
    if not text or len(text) > 500:
        return ""
    # Each pattern is tried only where its first sign stands, because most cells are none of these.
    if ("%" in text or "％" in text) and _PERCENT.fullmatch(text):
        return "percent"
    if text[0].isdigit() and _DATE.fullmatch(text):
        return "date"
    if text[0] in "+(0" and _PHONE.fullmatch(text):
        return "phone"
    if ("@" in text or ":" in text or text[0] in "wW") and _ADDRESS.fullmatch(text):
        return "address"
    return ""


_FORMS = {
    "date": "holds dates",
    "percent": "holds percentages",
    "phone": "holds telephone numbers",
    "address": "holds addresses of pages",
}


def foreign_form(table: Table, index: int) -> str | None:
    """What most values of a column are ("holds dates"), if that is none of a list's fields; else None."""
    values = table.values(index)[:LOOKED_AT]
    if not values:
        return None
    found = [form(value) for value in values]
    for name, sentence in _FORMS.items():
        if found.count(name) * 2 > len(values):
            return sentence
    return None


def states_currency(table: Table, index: int) -> bool:
    """True if most numbers of a column stand beside a currency."""
    values = table.values(index)[:LOOKED_AT]
    written = [found for value in values if isinstance(value, str) and (found := take_apart(value)) is not None]
    return sum(found.sign is not None for found in written) * 2 > len(values)


def counts_rows(table: Table, index: int) -> bool:
    """True for a running number that begins with 0 or 1: it names a row of this list, not an item."""
    figures = table.figures(index)
    first = cell_text(figures.sample).strip()
    return figures.filled >= PROOF and first in {"0", "1"} and figures.steps >= 0.95 * (figures.filled - 1)


def whole(cell: Cell) -> int | None:
    text = cell_text(cell).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def no_price(table: Table, index: int, level: int) -> str | None:
    """Why the values of a column are no prices; None if they may be. `level` of the header's hit (words.py): a plain
    word for price is believed more than a hint."""
    figures = table.figures(index)
    if not figures.rows:
        return None
    if not figures.filled:
        return "is blank"
    foreign = foreign_form(table, index)
    if foreign is not None:
        return foreign
    if not figures.any_number:
        return "holds no number"
    if figures.share(figures.prices) < 0.6:
        return f"holds prices in {figures.share(figures.prices):.0%} of its cells only"
    if figures.any_money:
        return None
    numbers = [whole(value) for value in table.values(index)[:LOOKED_AT]]
    known = [number for number in numbers if number is not None]
    if len(known) < PROOF:
        return MAYBE_QUANTITY if level == 2 else None
    if sum(is_gtin(str(number)) for number in known) > 0.9 * len(known) and min(known) > 10**7:
        return "holds GTINs"
    if counts_rows(table, index):
        return "counts the rows"
    if level < 4 and all(1950 <= number <= 2050 for number in known):
        return "holds years"
    return MAYBE_QUANTITY if level == 2 else None


def disagrees(table: Table, field: str, index: int, level: int) -> str | None:
    """Why the values of a column contradict its header, or None. An empty table contradicts nothing. A column that is
    called currency is believed whatever it holds: what cannot be understood is rejected row by row, while without the
    column its prices would be taken for those of another currency."""
    figures = table.figures(index)
    if not figures.rows:
        return None
    if not figures.filled:
        return "is blank"
    match field:
        case "sku":
            return _no_code(table, index, figures, level)
        case "name":
            return _no_name(table, index, figures, level)
        case "currency":
            if level < 4 and figures.share(figures.signs) < 0.8:
                return "does not hold currencies"
        case "gtin":
            if figures.share(figures.codes) < 0.6:
                return "does not hold GTINs"
        case "unit":
            if figures.longest > 40 or figures.mostly_numbers:
                return "does not hold units"
        case "price_basis":
            # What is no quantity is rejected row by row: beyond a few rows nearly all must be.
            if not figures.counts or figures.share(figures.bases) < (0.95 if figures.filled >= PROOF else 0.5):
                return "does not hold quantities"
        case _:
            if figures.longest > 255:
                return "holds long texts"
            return foreign_form(table, index)
    return None


def _no_code(table: Table, index: int, figures: Figures, level: int) -> str | None:
    if figures.fill < 0.5:
        return f"is filled in {figures.fill:.0%} of the rows only"
    if figures.share(figures.distinct) < 0.5:
        return (
            f"repeats (only {figures.share(figures.distinct):.0%} of its values differ), so it cannot be the key alone"
        )
    foreign = foreign_form(table, index)
    if foreign in {"holds dates", "holds percentages"}:
        return foreign
    if counts_rows(table, index) or (level <= 2 and figures.filled > 2 and figures.share(figures.steps) > 0.8):
        return "is a running number of the rows"
    if level <= 2 and not looks_like_codes(table, index):
        return NO_CODES
    if _holds_words(table, index, figures):
        return "holds words without a digit, some of them more than once"
    return None


def _holds_words(table: Table, index: int, figures: Figures) -> bool:
    """What goods are made of ("Material": "Paper", "Paper", "Card") is no code of theirs."""
    if figures.distinct == figures.filled:
        return False
    texts = [cell_text(value) for value in table.values(index)[:LOOKED_AT]]
    return sum(any(map(str.isdigit, text)) for text in texts) < 0.05 * len(texts)


def _no_name(table: Table, index: int, figures: Figures, level: int) -> str | None:
    if figures.fill < 0.5:
        return f"is filled in {figures.fill:.0%} of the rows only"
    if figures.mostly_numbers:
        return "holds numbers"
    foreign = foreign_form(table, index)
    if foreign is not None:
        return foreign
    if level <= 2 and figures.filled >= 2 and looks_like_codes(table, index):
        return "holds codes"
    return None


def looks_like_codes(table: Table, index: int) -> bool:
    """Short texts of one or two words that mostly differ and hold digits; no amounts of money, dates or addresses."""
    figures = table.figures(index)
    if not figures.filled or figures.money * 2 > figures.filled:
        return False
    if figures.filled >= PROOF and figures.share(figures.distinct) < 0.8:
        return False
    if foreign_form(table, index) is not None:
        return False
    texts = [cell_text(value).strip() for value in table.values(index)[:LOOKED_AT]]
    return sum(_is_code(text) for text in texts) > 0.8 * len(texts)


def _is_code(text: str) -> bool:
    words = text.split()
    return len(words) <= 2 and any(character.isdigit() for character in text) and len(text) <= 40
