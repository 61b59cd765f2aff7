"""Decodes records of delimited text into cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from contracts.rows import BrokenRow, Cell, Row
from parsers.chunk import Decoder, broken
from parsers.cutting import MAX_RECORD
from parsers.quoting import Dialect, cells, doubled, is_closed
from parsers.strangers import Strangers


def decoder(dialect: Dialect, encoding: str, width: int = 1, *, quoting: bool = False) -> Decoder:
    """Cells are text exactly as written, quotes removed. A record that is too long, has a quote that never
    closes, holds bytes that are not of this encoding, or is a complete row of `width` cells in another dialect becomes
    a BrokenRow. `quoting`: some cells are quoted, although quotes are ordinary characters."""
    delimiter = dialect.delimiter.decode("ascii")
    strangers = Strangers(dialect, width, quoting=quoting) if width > 1 else None
    quote = dialect.quote
    quoted = None if quote is None else _Quoted(dialect, encoding)

    def decode(records: Sequence[bytes]) -> list[Row]:
        blob = b"\n".join(records)
        if len(blob) > MAX_RECORD and max(map(len, records)) > MAX_RECORD:
            return [row for record in records for row in _one_by_one(record)]
        if quote is not None and quote in blob:
            return _mixed(records)
        try:
            text = blob.decode(encoding)
        except UnicodeDecodeError:
            return [row for record in records for row in _one_by_one(record)]
        if not records:
            return []
        if strangers is not None and strangers.may_be_in(text):
            return [strangers.row(line) for line in text.split("\n")]
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
        row = _split(record, delimiter, encoding)
        if strangers is not None and type(row) is not BrokenRow and (line := record.decode(encoding)) in strangers:
            return [broken(line, "row_ragged")]
        return [row]

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
        """A cell that spans lines may have swallowed rows, of which one lost a quote. The row is broken, because nobody
        can tell, if the cell holds about as many separators as a row has, with a number between them, or if its last
        line begins as the row does."""
        if type(row) is BrokenRow or self._dialect.newline not in record:
            return row
        for at, cell in enumerate(row):
            if isinstance(cell, str) and self._newline in cell and self._swallowed(row, at, cell):
                return broken(record.decode(self._encoding, "surrogateescape"), "row_ragged")
        return row

    def _swallowed(self, row: Row, at: int, cell: str) -> bool:
        last = cell.rpartition(self._newline)[2].split(self._delimiter)
        if len(last) == at + 1 and any(map(_alike, last, [*row[:at], cell.partition(self._newline)[0]])):
            return True
        if cell.count(self._delimiter) < max(1, len(row) - 1 - (len(row) > 3)):
            return False
        parts = cell.replace(self._newline, self._delimiter).split(self._delimiter)
        return any(map(_NUMBER.fullmatch, parts))


_NUMBER = re.compile(r"[^\w,.]*\d[\d\s,.']*[^\w,.]*")
"""Roughly, with a sign or a currency beside it."""
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")


def _alike(one: str, other: Cell) -> bool:
    """Two codes or numbers of the same form."""
    forms = [_DIGIT.sub("9", _LETTER.sub("A", str(text).strip())) for text in (one, other)]
    return forms[0] == forms[1] and "9" in forms[0] and " " not in forms[0]


def _kept(match: re.Match[str]) -> str:
    return next(part for part in match.groups() if part)
