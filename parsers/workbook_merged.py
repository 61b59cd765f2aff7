"""Fills merged texts downwards where each of their rows is an item of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from contracts.rows import Cell
from parsers.workbook_marks import Area

_WORDS = re.compile(r"[^\W\d_](?!.{0,5}\s\d[\d\s.,]*$).*", re.DOTALL)
"""Begins with a letter, and is no price with its currency before it."""


class MergedCells:
    """The areas of one sheet that reach over several rows; `filled` counts the cells that were given a value."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = sorted({area for area in areas if area.bottom > area.top})
        self.filled = 0

    def fill(self, rows: Iterable[list[Cell]], first: int = 1) -> Iterator[list[Cell]]:
        """The rows, numbered from `first` on, each once. A blank cell below the text of its area takes it if both rows
        hold a number of their own, as sizes of one style do and the second line of a header does not. Numbers are never
        taken: one price beside three volumes may be that of the set. At most the areas that cross a row are held."""
        coming = 0
        open_: list[tuple[Area, Cell, frozenset[int]]] = []
        for number, row in enumerate(rows, first):
            open_ = [(area, value, places) for area, value, places in open_ if number <= area.bottom]
            if open_:
                inside = {column for area, _, _ in open_ for column in range(area.left, area.right + 1)}
                own = _numbers(row) - inside
                for area, value, places in open_:
                    if own & places and (len(row) <= area.left or row[area.left] is None):
                        row.extend([None] * (area.left + 1 - len(row)))
                        row[area.left] = value
                        self.filled += 1
            while coming < len(self._areas) and self._areas[coming].top <= number:
                area = self._areas[coming]
                coming += 1
                value = row[area.left] if area.top == number and area.left < len(row) else None
                if isinstance(value, str) and _WORDS.match(value):
                    open_.append((area, value, _numbers(row)))
            yield row


def _numbers(row: Sequence[Cell]) -> frozenset[int]:
    """Places of what may be a number, a price or a code: digits in one word, as no header has."""
    return frozenset(
        place
        for place, value in enumerate(row)
        if isinstance(value, Decimal)
        or (isinstance(value, str) and any(map(str.isdigit, value)) and len(value.split()) == 1)
    )
