"""Keys and names of lists whose rows are variants: a code or name that repeats, told apart by size, colour and such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.rows import BrokenRow, Row
from pipeline.understanding.agree import foreign_form
from pipeline.understanding.keys import try_key
from pipeline.understanding.name_keys import LONGEST_NAME
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, is_blank
from pipeline.understanding.words import vocabulary

FEWEST = 20
"""Fewer items prove nothing."""
MOST = 200_000
"""Keys looked at; a longer list is judged by these."""
MOST_VARIANTS = 3
FEW, TWOFOLD_CODES = 5, 0.1
"""Codes with several prices that are a supplier's slips: fewer than so many, or at most this share of the codes."""
TWOFOLD = 0.01
"""Share of the keys that may stand beside two prices."""


def variant_columns(table: Table, taken: Iterable[int]) -> list[int]:
    """Columns whose header says what rows of one code or name differ by."""
    words, taken = vocabulary("variants"), set(taken)
    return [
        index
        for index, heading in enumerate(table.headings)
        if index not in taken and set(heading.folded.split()) & words and table.figures(index).filled
    ]


def key_with_variants(
    table: Table, base: Sequence[int], price: int, variants: Sequence[int], rows: Iterable[tuple[int, Row]]
) -> list[int] | None:
    """`base` and all `variants`, if in the whole list (`rows`, headers included) nearly every such key stands beside
    one price; None if not, or if there are fewer than 20. Fewer columns might do today and throw two items together
    in the next list, so none is left out."""
    if not variants or len(variants) > MOST_VARIANTS:
        return None
    key = [*base, *variants]
    first = table.header_row or 0
    prices: dict[str, str] = {}
    twofold: set[str] = set()
    for number, row in rows:
        if number <= first or type(row) is BrokenRow or len(row) <= price or not is_number(row[price]):
            continue
        told = "\x1f".join("" if index >= len(row) else _text(row, index) for index in key)
        amount = cell_text(row[price]).strip()
        if prices.setdefault(told, amount) != amount:
            twofold.add(told)
        if len(prices) >= MOST:
            break
    return key if len(prices) >= FEWEST and len(twofold) <= TWOFOLD * len(prices) else None


def several_prices(table: Table, sku: int, price: int) -> str | None:
    """The objection to a code of which too many values stand beside more than one price: it names a thing that is sold
    in several ways, and which of its rows counts is no matter of their order."""
    key = try_key(table, [sku], price)
    if key.twofold < FEW or key.twofold <= TWOFOLD_CODES * key.distinct:
        return None
    return f"repeats (only {key.distinct - key.twofold} of its {key.distinct} values stand beside one price)"


def could_be_name(table: Table, taken: Iterable[int]) -> int | None:
    """A column of words that differ from row to row and that nothing else was made of; None if there is none."""
    taken = set(taken)
    for index in range(table.width):
        figures = table.figures(index)
        if index in taken or figures.fill < 0.5 or figures.share(figures.numbers) > 0.5:
            continue
        if figures.longest <= LONGEST_NAME and figures.share(figures.distinct) > 0.2 and _holds_words(table, index):
            return index
    return None


def _holds_words(table: Table, index: int) -> bool:
    if foreign_form(table, index) is not None:
        return False
    texts = [cell_text(value) for value in table.values(index)[:200]]
    return sum(sum(map(str.isalpha, text)) * 2 > len(text.replace(" ", "")) for text in texts) * 2 > len(texts)


def _text(row: Row, index: int) -> str:
    return "" if is_blank(row[index]) else " ".join(cell_text(row[index]).split())
