"""Blank cells behind the last one of a row, and blank rows behind the last one of a sheet."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.rows import Cell

KEPT_WIDTH = 256
"""Blank cells at the end of a row are kept up to this column."""


def trimmed(row: list[Cell]) -> list[Cell]:
    """Without blank cells behind KEPT_WIDTH."""
    while len(row) > KEPT_WIDTH and row[-1] is None:
        row.pop()
    return row


def without_tail(rows: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    """Without the blank rows behind the last row that holds something; formatting can make them a million."""
    blank = 0
    for row in rows:
        if not any(value is not None for value in row):
            blank += 1
            continue
        for _ in range(blank):
            yield []
        blank = 0
        yield row
