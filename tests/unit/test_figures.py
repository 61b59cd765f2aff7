"""What a column is: counts that are made when asked for agree with those of all its cells."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contracts.rows import Cell
from pipeline.understanding.figures import Figures, is_number


@pytest.mark.parametrize("every", [1, 2, 3, 5, 10, 100])
@pytest.mark.parametrize("numbers_first", [True, False])
def test_a_column_is_mostly_numbers_whatever_the_pattern_of_its_rows(every: int, numbers_first: bool) -> None:
    first, other = ("12.50", "Bolt M8") if numbers_first else ("Bolt M8", "12.50")
    cells: list[Cell] = [first if row % every == 0 else other for row in range(2_000)]
    assert Figures(2_000, cells).mostly_numbers == (sum(map(is_number, cells)) * 2 > len(cells))


@pytest.mark.parametrize("cell", ["7", "7,00", Decimal(7), "n/a", "EUR", "12.50 €", True])
def test_one_number_or_amount_is_as_good_as_its_count(cell: Cell) -> None:
    figures = Figures(3, ["Bolt", cell, "Nut"])
    assert figures.any_number == bool(figures.numbers)
    assert figures.any_money == bool(figures.money)


def test_a_blank_column_has_shares_of_nothing() -> None:
    figures = Figures(5, [])
    assert (figures.fill, figures.share(0), figures.mostly_numbers, figures.sample) == (0.0, 0.0, False, None)
