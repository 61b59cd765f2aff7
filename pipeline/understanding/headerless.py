"""Reads a list without header whose values leave no choice: one column of money, one of words, one of codes or none."""

from __future__ import annotations

from pipeline.understanding.agree import foreign_form, looks_like_codes
from pipeline.understanding.mapped import Fields, Mapped
from pipeline.understanding.numbers import take_apart
from pipeline.understanding.table import Table
from pipeline.understanding.text import cell_text

FEWEST = 20
"""Fewer rows prove nothing."""
NEARLY_ALL = 0.95
WORDS = 2.0
"""Least average of words in a name."""
SURE = 0.75


def plain_columns(table: Table) -> Fields:
    """Price, name and code by their values alone; {} unless exactly one column could be each. A price says its
    currency in the cell, a name is words, a code is filled and different in every row. Where nothing could be the code,
    it is left out."""
    rows = len(table.rows())
    if rows < FEWEST:
        return {}
    used = [index for index in range(table.width) if table.figures(index).filled]
    money = [index for index in used if _signs(table, index) > (1 - NEARLY_ALL) * rows]
    words = [index for index in used if index not in money and _holds_words(table, index)]
    codes = [index for index in used if index not in {*money, *words} and looks_like_codes(table, index)]
    if len(money) != 1 or len(words) != 1 or len(codes) > 1 or not _is_price(table, money[0]):
        return {}
    fields = {
        "price": [Mapped(money[0], SURE, "no header; the only column with a currency in its cells")],
        "name": [Mapped(words[0], SURE, "no header; the only column of words")],
    }
    if not codes:
        return fields if len(used) == len(fields) else {}
    figures = table.figures(codes[0])
    if not figures.filled == figures.distinct == rows or figures.share(figures.steps) > 0.5:
        return {}
    return fields | {"sku": [Mapped(codes[0], SURE, "no header; the only column that tells all rows apart")]}


def _signs(table: Table, index: int) -> int:
    """Amounts with a currency beside them."""
    written = (take_apart(value) for value in table.values(index) if isinstance(value, str))
    return sum(found is not None and found.sign is not None for found in written)


def _is_price(table: Table, index: int) -> bool:
    return _signs(table, index) >= NEARLY_ALL * table.figures(index).rows


def _holds_words(table: Table, index: int) -> bool:
    figures = table.figures(index)
    if figures.mostly_numbers or foreign_form(table, index) is not None or figures.distinct < 2:
        return False
    texts = [cell_text(value) for value in table.values(index)]
    wide = any(not character.isascii() and ord(character) > 0x2E80 for text in texts[:20] for character in text)
    return wide or sum(len(text.split()) for text in texts) >= WORDS * len(texts)
