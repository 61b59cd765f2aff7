"""Decides whether the names of a list without codes tell its rows apart; whoever cannot be sure asks a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from contracts.rows import BrokenRow, Row
from pipeline.understanding.table import Table, is_number
from pipeline.understanding.text import cell_text, is_blank
from pipeline.understanding.words import vocabulary

FEWEST = 20
"""Fewer items prove nothing."""
MOST = 200_000
"""Names looked at; a longer list is judged by these."""
TWOFOLD = 0.05
"""Share of the names that may stand beside two prices: names that are as good as codes."""
DIFFERENT = 0.8
"""Least share of different names, beside columns in which the rows of one name may differ."""
DISTINCT = 0.9
"""A column whose values differ so often could be the code, whatever it is called."""
LONGEST_CODE, LONGEST_NAME = 40, 255


def why_not(table: Table, name: int, price: int, rows: Iterable[tuple[int, Row]]) -> str | None:
    """None if the names may be the keys: no other column could be a code or part of one, and in the whole list (`rows`,
    headers included) nearly every name stands beside one price. Otherwise the objection."""
    for index in range(table.width):
        if index in {name, price}:
            continue
        heading = table.headings[index]
        if heading.hit("name") is not None and _could_be_name(table, index):
            return f"“{table.header(index)}” could be the name, too"
        if set(heading.folded.split()) & vocabulary("variants") and table.figures(index).filled:
            return f"“{table.header(index)}” tells variants of one name apart"
        if heading.hit("gtin") is not None and table.figures(index).fill > 0.5:
            return f"“{table.header(index)}” could be the code, though not every value is one"
        if heading.hit("price") is None and _could_be_code(table, index):
            return f"“{table.header(index) or index}” could be the code: nearly all of its values differ"
    alone = all(index in {name, price} for index in range(table.width) if table.figures(index).filled)
    return _repeated(table, name, price, rows, most=1.0 if alone else TWOFOLD)


def _could_be_name(table: Table, index: int) -> bool:
    """Texts that differ from row to row, and are no descriptions."""
    figures = table.figures(index)
    if figures.fill < 0.5 or figures.mostly_numbers:
        return False
    return figures.share(figures.distinct) > 0.5 and figures.longest <= LONGEST_NAME


def _could_be_code(table: Table, index: int) -> bool:
    """Single words with digits that differ; amounts of money and long texts are none."""
    figures = table.figures(index)
    if figures.fill < 0.5 or figures.share(figures.distinct) < DISTINCT or figures.longest > LONGEST_CODE:
        return False
    if figures.money * 2 > figures.filled:
        return False
    texts = [cell_text(value).strip() for value in table.values(index)]
    return sum(any(map(str.isdigit, text)) and len(text.split()) == 1 for text in texts) * 2 > len(texts)


def _repeated(table: Table, name: int, price: int, rows: Iterable[tuple[int, Row]], *, most: float) -> str | None:
    """Nothing but the name could tell rows apart that are alike in it, where there is no other column: `most` is 1."""
    first = table.header_row or 0
    prices: dict[str, str] = {}
    twofold: set[str] = set()
    items = 0
    for number, row in rows:
        if number <= first or type(row) is BrokenRow or len(row) <= max(name, price):
            continue
        if is_blank(row[name]) or not is_number(row[price]):
            continue
        items += 1
        text = " ".join(cell_text(row[name]).split())
        amount = cell_text(row[price]).strip()
        if prices.setdefault(text, amount) != amount:
            twofold.add(text)
        if len(prices) >= MOST:
            break
    if len(prices) < FEWEST:
        return f"only {len(prices)} names stand beside a price, which proves nothing"
    if most < 1 and len(prices) < DIFFERENT * items:
        return f"only {len(prices)} of {items} names differ"
    if len(twofold) > most * len(prices):
        return f"{len(twofold)} of its {len(prices)} names stand beside two prices"
    return None


def other_code(table: Table, sku: int, taken: Collection[int]) -> int | None:
    """A column that could be the supplier's own code, where the one chosen holds its maker's codes by its header."""
    tokens = table.headings[sku].folded.split()
    if not any(token.startswith(tuple(vocabulary("makers"))) for token in tokens):
        return None
    others = (
        index for index in range(table.width) if index not in taken and table.headings[index].hit("price") is None
    )
    return next((index for index in others if _could_be_code(table, index)), None)
