"""Header cells that were merged: how far a header reaches down, and which columns a text stands above."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.rows import Cell, Row
from pipeline.understanding.text import is_blank

Areas = Sequence[tuple[int, int, int, int]]
"""As in Description."""

LINES = 3
"""A header that is merged further down is none."""


def reaches(row: int, lines: int, merged: Areas) -> int:
    """The last row of a header of some lines that ends in this row: cells merged downwards belong to it whole."""
    bottoms = [bottom for top, _, bottom, _ in merged if row - lines < top <= row < bottom < top + LINES]
    return max(bottoms, default=row)


def spread(rows: Sequence[tuple[int, Row]], merged: Areas) -> list[Row]:
    """Header lines in which a text that was merged across stands above each of its columns that has a text of its own
    below; a title above all of them is no part of a header."""
    lines: list[list[Cell]] = [list(row) for _, row in rows]
    places = {number: place for place, (number, _) in enumerate(rows)}
    for top, left, _, right in merged:
        place = places.get(top)
        if place is None or right == left or left >= len(lines[place]) or is_blank(lines[place][left]):
            continue
        line = lines[place]
        line += [None] * (right + 1 - len(line)) if right < 512 else []
        for column in range(left + 1, min(right + 1, len(line))):
            below = any(column < len(other) and not is_blank(other[column]) for other in lines[place + 1 :])
            if below and is_blank(line[column]):
                line[column] = line[left]
    return list(lines)
