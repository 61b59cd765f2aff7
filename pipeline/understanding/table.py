"""The table as it was seen in the sample: header lines above, a body below, figures by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.rows import BrokenRow, Cell, Row
from pipeline.understanding.figures import Figures, could_be_price, is_number
from pipeline.understanding.headings import Heading
from pipeline.understanding.text import filled, fold, is_blank

__all__ = ["Figures", "Table", "could_be_price", "is_number"]


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
    _values: dict[int, list[Cell]] = field(default_factory=dict)
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
            self._rows = [row for _, row in self.body if type(row) is not BrokenRow and _holds(row, least)]
        return self._rows

    def values(self, index: int) -> list[Cell]:
        """The filled cells of one column in body rows."""
        known = self._values.get(index)
        if known is None:
            cells = [row[index] for row in self.rows() if index < len(row)]
            known = self._values[index] = [cells[place] for place in filled(cells)]
        return known

    def figures(self, index: int) -> Figures:
        known = self._figures.get(index)
        if known is None:
            known = self._figures[index] = Figures(len(self.rows()), self.values(index))
        return known


def _holds(row: Row, least: int) -> bool:
    """True if so many cells hold something."""
    for cell in row:
        if not is_blank(cell):
            least -= 1
            if not least:
                return True
    return False
