"""Chunks of rows: cut from text and decoded on demand, or parsed already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from contracts.rows import BrokenRow, Cursor, Row

SHOWN = 1_000
"""Characters of a broken row that are kept for people."""

Decoder = Callable[[Sequence[bytes]], list[Row]]


def broken(text: str, code: str) -> BrokenRow:
    """A record that could not be cut into cells, as one cell with the beginning of its text."""
    return BrokenRow((text[:SHOWN],), code)


class RecordChunk:
    """Rows whose raw records are known; cells are decoded when asked for."""

    __slots__ = ("_decode", "cursor", "first_row", "number", "records")

    def __init__(self, number: int, first_row: int, cursor: Cursor, records: Sequence[bytes], decode: Decoder) -> None:
        self.number = number
        self.first_row = first_row
        self.cursor = cursor
        self.records: Sequence[bytes] | None = records
        self._decode = decode

    def __len__(self) -> int:
        return len(self.records or ())

    def row_numbers(self) -> Sequence[int]:
        return range(self.first_row, self.first_row + len(self))

    def rows(self, which: Sequence[int] | None = None) -> list[Row]:
        records = self.records or ()
        return self._decode(records if which is None else [records[position] for position in which])


class RowChunk:
    """Rows that were parsed already."""

    __slots__ = ("_numbers", "_rows", "cursor", "first_row", "number", "records")

    def __init__(self, number: int, cursor: Cursor, numbers: Sequence[int], rows: list[Row]) -> None:
        self.number = number
        self.first_row = numbers[0]
        self.cursor = cursor
        self.records: Sequence[bytes] | None = None
        self._numbers = numbers
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def row_numbers(self) -> Sequence[int]:
        return self._numbers

    def rows(self, which: Sequence[int] | None = None) -> list[Row]:
        return list(self._rows) if which is None else [self._rows[position] for position in which]


def number_cell(text: str) -> Decimal:
    """A number of the source as a Decimal whose text has no exponent."""
    value = Decimal(text)
    return Decimal(f"{value:f}")
