"""Tries a dialect on the beginning of a text."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from contracts.rows import BrokenRow, Row
from parsers.cells import decoder
from parsers.cutting import cut
from parsers.quoting import Dialect

RECORDS = 200


class Trial(NamedTuple):
    share: float
    """Of the records that hold anything: how many have the most frequent number of cells above one."""
    width: int
    """That number; 1 = no record has more than one cell."""
    rows: list[Row]


class Enclosed(NamedTuple):
    opened: int
    """Cells that begin with a quote."""
    cells: int
    """Those of them that end with one, too."""

    @property
    def mostly(self) -> bool:
        """Otherwise the quote is an inch mark or so."""
        return not self.opened or self.cells > self.opened / 2


@dataclass(frozen=True, slots=True)
class Sample:
    data: bytes
    encoding: str
    newline: bytes
    whole: bool
    """False: the text goes on behind the sample, which may end within a record."""

    def trial(self, dialect: Dialect) -> Trial:
        rows = self.rows(dialect)
        widths = Counter(0 if isinstance(row, BrokenRow) else len(row) for row in rows if any(row))
        wide = [(count, width) for width, count in widths.items() if width > 1]
        if not wide:
            return Trial(0.0, 1, rows)
        count, width = max(wide)
        return Trial(count / widths.total(), width, rows)

    def rows(self, dialect: Dialect) -> list[Row]:
        decode = decoder(dialect, self.encoding)
        rows: list[Row] = []
        for block in cut(io.BytesIO(self.data), offset=0, dialect=dialect):
            records = block.records
            if dialect.newline != b"\r":
                records = [record.removesuffix(b"\r") for record in records[:RECORDS]]
            rows += decode(records[:RECORDS])
            if len(rows) > RECORDS:
                break
        # the sample may end within a record
        return rows[:RECORDS] if self.whole or len(rows) >= RECORDS else rows[:-1]

    def enclosed(self, delimiter: bytes, quote: bytes) -> Enclosed:
        d, q = re.escape(delimiter), re.escape(quote)
        edge, end = rb"(?:^|%b|[\r\n])" % d, rb"(?= *(?:%b|[\r\n]|$))" % re.escape(delimiter.rstrip(b" ") or delimiter)
        opened = len(re.findall(edge + q, self.data))
        cells = len(re.findall(rb"%b%b(?:[^%b]|%b%b)*+%b%b" % (edge, q, q, q, q, q, end), self.data))
        return Enclosed(opened, cells)
