"""The table as it was seen in the sample: header lines above, a body below, figures by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from contracts.rows import BrokenRow, Cell, Row
from pipeline.understanding.currency import sign_of
from pipeline.understanding.headings import Heading, basis_of
from pipeline.understanding.numbers import take_apart
from pipeline.understanding.text import ERROR_CELLS, cell_text, fold, is_blank
from pipeline.understanding.words import says_on_request


@lru_cache(maxsize=16384)
def _text_is_number(text: str) -> bool:
    return take_apart(text) is not None


def is_number(cell: Cell) -> bool:
    """True for a real number and for text that is one number with at most a currency beside it."""
    if isinstance(cell, str):
        return _text_is_number(cell)
    return isinstance(cell, Decimal)


def could_be_price(cell: Cell) -> bool:
    """A number, "on request", or a failed formula."""
    return is_number(cell) or (isinstance(cell, str) and (cell.strip() in ERROR_CELLS or says_on_request(cell)))


def _is_money(cell: Cell) -> bool:
    if isinstance(cell, Decimal):
        return cell != cell.to_integral_value() if cell.is_finite() else False
    written = take_apart(cell) if isinstance(cell, str) else None
    return written is not None and (written.sign is not None or not written.body.isdigit())


@dataclass(frozen=True, slots=True)
class Figures:
    """How a column of the body is filled; shares are of its filled cells."""

    rows: int
    filled: int
    distinct: int
    numbers: int
    prices: int
    money: int
    """Numbers with decimals or a currency beside them, which quantities do not have."""
    signs: int
    codes: int
    bases: int
    """Cells that say how many units a price is for: "100", "100 Stk", "Stk"."""
    counts: int
    """Those of them that hold digits."""
    steps: int
    """Values that are one more than the value above: a running number."""
    longest: int
    sample: Cell

    def share(self, count: int) -> float:
        return count / self.filled if self.filled else 0.0

    @property
    def fill(self) -> float:
        return self.filled / self.rows if self.rows else 0.0


@dataclass(slots=True)
class Table:
    """One list: `headings` by column index, `body` the rows below with their numbers."""

    header_row: int | None
    header_rows: int
    lines: tuple[tuple[str, ...], ...]
    """Per column the header texts, top line first; () if it has none."""
    headings: tuple[Heading, ...]
    titles: tuple[str, ...]
    """Texts above the header."""
    body: Sequence[tuple[int, Row]]
    certainty: float
    reason: str
    _figures: dict[int, Figures] = field(default_factory=dict)
    _rows: list[Row] | None = None

    @property
    def width(self) -> int:
        return len(self.lines)

    def header(self, index: int) -> str:
        return " ".join(self.lines[index])

    def named(self) -> list[str]:
        """The headers that are not blank, as they stand in the list."""
        return [self.header(index) for index in range(self.width) if self.lines[index]]

    def find(self, name: str) -> list[int]:
        """Columns whose header, or one line of it, is this name; equal spelling before equal after folding."""
        wanted = " ".join(name.split())
        same = [index for index in range(self.width) if wanted in (self.header(index), *self.lines[index])]
        if same:
            exact = [index for index in same if self.header(index) == wanted]
            return exact or same
        folded = fold(name)
        if not folded:
            return []
        full = [index for index in range(self.width) if fold(self.header(index)) == folded]
        return full or [index for index in range(self.width) if folded in map(fold, self.lines[index])]

    def rows(self) -> list[Row]:
        """Body rows that hold more than one cell (headings and notes hold one); all, if the table is one column."""
        if self._rows is None:
            least = 1 if self.width == 1 else 2
            self._rows = [
                row for _, row in self.body if type(row) is not BrokenRow and sum(not is_blank(c) for c in row) >= least
            ]
        return self._rows

    def values(self, index: int) -> list[Cell]:
        """The filled cells of one column in body rows."""
        return [row[index] for row in self.rows() if index < len(row) and not is_blank(row[index])]

    def figures(self, index: int) -> Figures:
        known = self._figures.get(index)
        if known is None:
            known = self._figures[index] = self._count(index)
        return known

    def _count(self, index: int) -> Figures:
        values = self.values(index)
        texts = [cell_text(value).strip() for value in values]
        found = [basis_of(text) is not None for text in texts]
        return Figures(
            rows=len(self.rows()),
            filled=len(values),
            distinct=len(set(texts)),
            numbers=sum(map(is_number, values)),
            prices=sum(map(could_be_price, values)),
            money=sum(map(_is_money, values)),
            signs=sum(sign_of(text) is not None for text in texts),
            codes=sum(text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14) for text in texts),
            bases=sum(found),
            counts=sum(base and any(map(str.isdigit, text)) for base, text in zip(found, texts, strict=True)),
            steps=_steps(texts),
            longest=max(map(len, texts), default=0),
            sample=values[0] if values else None,
        )


def _steps(texts: Sequence[str]) -> int:
    numbers = [int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None for text in texts]
    return sum(above is not None and below == above + 1 for above, below in pairwise(numbers))
