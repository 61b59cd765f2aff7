"""What the cells of one column are: counted when a decision asks for it, because most columns are asked for little."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from contracts.rows import Cell
from pipeline.understanding.currency import sign_of
from pipeline.understanding.headings import basis_of
from pipeline.understanding.text import ERROR_CELLS, cell_text
from pipeline.understanding.words import says_on_request
from pipeline.understanding.written import take_apart


def is_number(cell: Cell) -> bool:
    """True for a real number and for text that is one number with at most a currency beside it."""
    return take_apart(cell) is not None if isinstance(cell, str) else isinstance(cell, Decimal)


def could_be_price(cell: Cell) -> bool:
    """A number, "on request", or a failed formula."""
    return is_number(cell) or (isinstance(cell, str) and (cell.strip() in ERROR_CELLS or says_on_request(cell)))


def _is_money(cell: Cell) -> bool:
    if isinstance(cell, Decimal):
        return cell != cell.to_integral_value() if cell.is_finite() else False
    written = take_apart(cell) if isinstance(cell, str) else None
    return written is not None and (written.sign is not None or not written.body.isdigit())


TRIED = 200
"""Cells of a column that are looked at first; where nearly all are alike, so are the others."""
_STEP = 7_919
"""A prime, so that what repeats every few rows is met as often as it stands there."""


class Figures:
    """How a column of the body is filled; shares are of its filled cells."""

    def __init__(self, rows: int, values: Sequence[Cell]) -> None:
        self.rows = rows
        self.filled = len(values)
        self.sample = values[0] if values else None
        self._values = values

    def share(self, count: int) -> float:
        return count / self.filled if self.filled else 0.0

    @property
    def fill(self) -> float:
        return self.filled / self.rows if self.rows else 0.0

    @cached_property
    def _texts(self) -> list[str]:
        return [(value if type(value) is str else cell_text(value)).strip() for value in self._values]

    @cached_property
    def distinct(self) -> int:
        return len(set(self._texts))

    @property
    def quality(self) -> int:
        """0..100: filled in every row, and nowhere alike."""
        return round(100 * self.fill * self.share(self.distinct))

    @cached_property
    def numbers(self) -> int:
        return sum(map(is_number, self._values))

    @cached_property
    def any_number(self) -> bool:
        return any(map(is_number, self._values))

    @cached_property
    def mostly_numbers(self) -> bool:
        """More than half."""
        if self.filled > 2 * TRIED and "numbers" not in self.__dict__:
            found = sum(is_number(self._values[place * _STEP % self.filled]) for place in range(TRIED))
            if not 0.2 * TRIED < found < 0.8 * TRIED:
                return found > 0.5 * TRIED
        return self.numbers * 2 > self.filled

    @cached_property
    def prices(self) -> int:
        return sum(map(could_be_price, self._values))

    @cached_property
    def money(self) -> int:
        """Numbers with decimals or a currency beside them, which quantities do not have."""
        return sum(map(_is_money, self._values))

    @cached_property
    def any_money(self) -> bool:
        return any(map(_is_money, self._values))

    @cached_property
    def signs(self) -> int:
        return sum(sign_of(text) is not None for text in self._texts)

    @cached_property
    def codes(self) -> int:
        return sum(text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14) for text in self._texts)

    @cached_property
    def _bases(self) -> list[str]:
        return [text for text in self._texts if basis_of(text) is not None]

    @property
    def bases(self) -> int:
        """Cells that say how many units a price is for: "100", "100 Stk", "Stk"."""
        return len(self._bases)

    @cached_property
    def counts(self) -> int:
        """Those of them that hold digits."""
        return sum(any(map(str.isdigit, text)) for text in self._bases)

    @cached_property
    def steps(self) -> int:
        """Values that are one more than the value above: a running number."""
        whole = [int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None for text in self._texts]
        return sum(above is not None and below == above + 1 for above, below in pairwise(whole))

    @cached_property
    def longest(self) -> int:
        return max(map(len, self._texts), default=0)
