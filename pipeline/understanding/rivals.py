"""Tells prices of the same goods from weights, quantities and the like: prices of one list rise and fall together."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from statistics import median

from contracts.rows import Cell
from pipeline.understanding.agree import LOOKED_AT, PROOF, foreign_form, no_price
from pipeline.understanding.numbers import Ambiguity, apply, collect, decide
from pipeline.understanding.table import Table
from pipeline.understanding.words import kinds_of, says, vocabulary
from pipeline.understanding.written import take_apart

NEAR, BY_TAX = Decimal(2), Decimal("1.15")
"""Within so many times their median lie the ratios of two prices of one item; of a price before and after tax, of which
there are few rates."""
MOSTLY = 0.8
"""Share of the rows in which they do."""
WIDEST = 200
"""Columns that are looked at."""


def go_together(table: Table, one: int, other: int, near: Decimal = NEAR) -> bool:
    """False if the numbers of two columns have nothing to do with each other; True where too few rows show it."""
    first, second = _numbers(table, one), _numbers(table, other)
    if first is None or second is None:
        return True
    both = [second[row] / first[row] for row in first.keys() & second.keys() if first[row] and second[row]]
    if len(both) < PROOF:
        return True
    middle = median(both)
    return sum(middle <= near * ratio and ratio <= near * middle for ratio in both) >= MOSTLY * len(both)


def unnamed_prices(table: Table, price: int, taken: Collection[int]) -> list[int]:
    """Columns whose header is no known word and whose amounts go with those of the price column."""
    found = []
    for index, heading in enumerate(table.headings[:WIDEST]):
        if index == price or index in taken or heading.hits or not heading.folded:
            continue
        figures = table.figures(index)
        if figures.money * 2 <= figures.filled or no_price(table, index, 2) or foreign_form(table, index):
            continue
        if says(heading.folded, "not_price") or kinds_of(heading.folded) & {"reference", "other"}:
            continue
        if not set(heading.folded.split()) & vocabulary("taxes") and go_together(table, price, index):
            found.append(index)
    return found


def _numbers(table: Table, index: int) -> dict[int, Decimal] | None:
    """By row; None if it is open how they are written."""
    cells = {number: row[index] for number, row in enumerate(table.rows()[:LOOKED_AT]) if index < len(row)}
    numbers = decide(collect(cell for cell in cells.values() if isinstance(cell, str)))
    if isinstance(numbers, Ambiguity):
        return None

    def amount(cell: Cell) -> Decimal | None:
        if isinstance(cell, Decimal):
            return cell if cell.is_finite() else None
        written = take_apart(cell) if isinstance(cell, str) else None
        text = None if written is None else apply(written.full, numbers)
        return None if text is None else Decimal(text)

    return {number: found for number, cell in cells.items() if (found := amount(cell)) is not None}
