"""Takes off what a spreadsheet marks text with in delimited files: ="01034" and, in front of a whole column, '01034."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.rows import BrokenRow, Cell, Row
from parsers.chunk import Decoder

FEWEST = 5
"""Cells with digits, from which on an apostrophe before nearly all of them is a habit of the column."""
NEARLY_ALL = 0.95

_FORMULA = re.compile(r'\s*="([^"]*)"\s*')
_DIGIT = re.compile(r"\d")


def apostrophes(rows: Sequence[Row]) -> tuple[int, ...]:
    """Columns in which nearly all cells with digits begin with an apostrophe; elsewhere it belongs to the text."""
    marked: dict[int, int] = {}
    digits: dict[int, int] = {}
    for row in rows:
        for place, cell in enumerate(row):
            if isinstance(cell, str) and _DIGIT.search(cell):
                digits[place] = digits.get(place, 0) + 1
                marked[place] = marked.get(place, 0) + (cell[0] == "'")
    return tuple(
        place for place, count in sorted(digits.items()) if count >= FEWEST and marked[place] >= NEARLY_ALL * count
    )


def unmarked(decode: Decoder, columns: Sequence[int] = ()) -> Decoder:
    """Reads as `decode` does, without these marks; `columns` are those of apostrophes()."""

    def read(records: Sequence[bytes]) -> list[Row]:
        rows = decode(records)
        for place, record in enumerate(records):
            if b'="' in record or (columns and b"'" in record):
                rows[place] = _without(rows[place], columns)
        return rows

    return read


def _without(row: Row, columns: Sequence[int]) -> Row:
    cells: list[Cell] = [
        match[1] if isinstance(cell, str) and (match := _FORMULA.fullmatch(cell)) else cell for cell in row
    ]
    for column in columns:
        cell = cells[column] if column < len(cells) else None
        if isinstance(cell, str) and cell[:1] == "'":
            cells[column] = cell[1:]
    return BrokenRow(cells, row.code) if type(row) is BrokenRow else cells
