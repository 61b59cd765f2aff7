"""Decodes records of delimited text into cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from contracts.rows import BrokenRow, Row
from parsers.chunk import Decoder, broken
from parsers.cutting import MAX_RECORD, Dialect, is_closed


def decoder(dialect: Dialect, encoding: str) -> Decoder:
    """Cells are text exactly as written, quotes removed. A record that is too long, has a quote that never
    closes or holds bytes that are not of this encoding becomes a BrokenRow."""
    delimiter = dialect.delimiter.decode("ascii")
    quote = dialect.quote
    quoted = None if quote is None else _Quoted(dialect, encoding)

    def decode(records: Sequence[bytes]) -> list[Row]:
        blob = b"\n".join(records)
        if len(blob) > MAX_RECORD and max(map(len, records)) > MAX_RECORD:
            return [row for record in records for row in _one_by_one(record)]
        if quoted is not None and quote in blob:  # type: ignore[operator]  # quote is bytes where quoted is set
            return _mixed(records)
        try:
            lines = blob.decode(encoding).split("\n")
        except UnicodeDecodeError:
            return [row for record in records for row in _one_by_one(record)]
        return [line.split(delimiter) for line in lines] if records else []

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
    """Records in which quotes stand; the csv module where it can, the grammar of cutting.py where it cannot
    (cells above its field limit, carriage returns outside quotes)."""

    def __init__(self, dialect: Dialect, encoding: str) -> None:
        assert dialect.quote is not None
        self.byte = dialect.quote
        self._dialect = dialect
        self._encoding = encoding
        self._delimiter = dialect.delimiter.decode("ascii")
        self._quote = dialect.quote.decode("ascii")
        d, q = re.escape(self._delimiter), re.escape(self._quote)
        self._cell = re.compile(f"{q}((?:[^{q}]|{q}{q})*+){q}([^{d}]*+)|([^{d}]*+)", re.DOTALL)

    def rows(self, records: Sequence[bytes]) -> list[Row]:
        try:
            texts = [record.decode(self._encoding) for record in records]
            # strict: a quote that does not close swallows the next record, which the count shows
            rows: list[Row] = list(csv.reader(texts, delimiter=self._delimiter, quotechar=self._quote, strict=True))
        except (csv.Error, UnicodeDecodeError):
            rows = []
        if len(rows) == len(records) and all(rows):
            return rows
        return [self._row(record) for record in records]

    def _row(self, record: bytes) -> Row:
        text = record.decode(self._encoding, "surrogateescape")
        if not is_closed(record, self._dialect):
            return broken(text, "row_ragged")
        cells: list[str] = []
        at = 0
        while True:
            match = self._cell.match(text, at)
            assert match is not None  # the last alternative matches everything
            inner, tail, bare = match.groups()
            cells.append(bare if inner is None else inner.replace(self._quote * 2, self._quote) + tail)
            at = match.end() + 1
            if match.end() >= len(text):
                break
        try:
            record.decode(self._encoding)
        except UnicodeDecodeError:
            return BrokenRow(cells, "row_unreadable")
        return cells
