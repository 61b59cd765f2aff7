"""Decodes records of delimited text into cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from contracts.rows import BrokenRow, Row
from parsers.chunk import Decoder, broken
from parsers.cutting import MAX_RECORD
from parsers.quoting import Dialect, cells, doubled, is_closed
from parsers.strangers import Strangers


def decoder(dialect: Dialect, encoding: str, width: int = 1) -> Decoder:
    """Cells are text exactly as written, quotes removed. A record that is too long, has a quote that never
    closes, holds bytes that are not of this encoding, or is a complete row of `width` cells in another dialect becomes
    a BrokenRow."""
    delimiter = dialect.delimiter.decode("ascii")
    strangers = Strangers(dialect, width) if width > 1 else None
    quote = dialect.quote
    quoted = None if quote is None else _Quoted(dialect, encoding)

    def decode(records: Sequence[bytes]) -> list[Row]:
        blob = b"\n".join(records)
        if len(blob) > MAX_RECORD and max(map(len, records)) > MAX_RECORD:
            return [row for record in records for row in _one_by_one(record)]
        if quoted is not None and quote in blob:  # type: ignore[operator]  # quote is bytes where quoted is set
            return _mixed(records)
        try:
            text = blob.decode(encoding)
        except UnicodeDecodeError:
            return [row for record in records for row in _one_by_one(record)]
        if not records:
            return []
        if strangers is not None and strangers.may_be_in(text):
            return [
                broken(line, "row_ragged") if line in strangers else line.split(delimiter) for line in text.split("\n")
            ]
        return [line.split(delimiter) for line in text.split("\n")]

    def _mixed(records: Sequence[bytes]) -> list[Row]:
        assert quoted is not None
        quote = quoted.byte
        plain = [record for record in records if quote not in record]
        fancy = [record for record in records if quote in record]
        plain_rows = iter(decode(plain) if plain else ())
        fancy_rows = iter(quoted.rows(fancy))
        return [next(fancy_rows if quote in record else plain_rows) for record in records]

    def _one_by_one(record: bytes) -> list[Row]:
        if len(record) > MAX_RECORD:
            return [broken(record[:4_096].decode(encoding, "replace"), "row_too_large")]
        if quoted is not None and quoted.byte in record:
            return quoted.rows([record])
        return [_split(record, delimiter, encoding)]

    return decode


def _split(record: bytes, delimiter: str, encoding: str) -> Row:
    try:
        return record.decode(encoding).split(delimiter)
    except UnicodeDecodeError:
        return BrokenRow(record.decode(encoding, "surrogateescape").split(delimiter), "row_unreadable")


class _Quoted:
    """Records in which quotes stand; the csv module where it can, the grammar of quoting.py where it cannot
    (cells above its field limit, carriage returns outside quotes, escapes)."""

    def __init__(self, dialect: Dialect, encoding: str) -> None:
        assert dialect.quote is not None
        self.byte = dialect.quote
        self._dialect = dialect
        self._encoding = encoding
        self._delimiter = dialect.delimiter.decode("ascii")
        self._quote = dialect.quote.decode("ascii")
        self._newline = dialect.newline.decode("ascii")
        self._plain = dialect.escape is None and not dialect.padded
        self._cell = cells(dialect)
        self._doubled = doubled(dialect)

    def rows(self, records: Sequence[bytes]) -> list[Row]:
        rows: list[Row] = []
        try:
            texts = [record.decode(self._encoding) for record in records]
            if self._plain:
                # strict: a quote that does not close swallows the next record, which the count shows
                rows = list(csv.reader(texts, delimiter=self._delimiter, quotechar=self._quote, strict=True))
        except (csv.Error, UnicodeDecodeError):
            rows = []
        if len(rows) != len(records) or not all(rows):
            rows = [self._row(record) for record in records]
        if any(self._dialect.newline in record for record in records):
            return [self._one_reading(row, record) for row, record in zip(rows, records, strict=True)]
        return rows

    def _row(self, record: bytes) -> Row:
        text = record.decode(self._encoding, "surrogateescape")
        if not is_closed(record, self._dialect):
            return broken(text, "row_ragged")
        found: list[str] = []
        at = 0
        while True:
            match = self._cell.match(text, at)
            assert match is not None  # the last alternative matches everything
            inner, tail, bare = match.groups()
            found.append(bare if inner is None else self._doubled.sub(_kept, inner) + tail)
            at = match.end() + 1
            if match.end() >= len(text):
                break
        try:
            record.decode(self._encoding)
        except UnicodeDecodeError:
            return BrokenRow(found, "row_unreadable")
        return found

    def _one_reading(self, row: Row, record: bytes) -> Row:
        """A cell that spans lines may be two rows of which each lost a quote. If the lines are complete rows by
        themselves, with numbers in the same columns, nobody can tell: the row is broken."""
        if type(row) is BrokenRow or self._dialect.newline not in record:
            return row
        at = next((place for place, cell in enumerate(row) if isinstance(cell, str) and self._newline in cell), None)
        if at is None:
            return row
        first, *between, last = str(row[at]).split(self._newline)
        lines: list[Row] = [
            [*row[:at], *first.split(self._delimiter)],
            *(line.split(self._delimiter) for line in between),
            [*last.split(self._delimiter), *row[at + 1 :]],
        ]
        if any(len(line) != len(row) for line in lines) or len(row) < 2:
            return row
        numbers = [[_NUMBER.fullmatch(str(cell)) is not None for cell in line] for line in lines]
        if any(numbers[0]) and all(line == numbers[0] for line in numbers):
            return broken(record.decode(self._encoding, "surrogateescape"), "row_ragged")
        return row


_NUMBER = re.compile(r"[^\w,.]*\d[\d\s,.']*[^\w,.]*")
"""Roughly, with a sign or a currency beside it."""


def _kept(match: re.Match[str]) -> str:
    return next(part for part in match.groups() if part)
