"""Finds how the cells of a text file are separated and quoted, by trying the candidates on its first records."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import NamedTuple

from contracts.errors import SourceUnreadable
from contracts.rows import BrokenRow, Row
from parsers.cells import decoder
from parsers.cutting import Dialect, cut
from parsers.encoding import Text

SAMPLE = 262_144
RECORDS = 200
DELIMITERS = (b",", b";", b"\t", b"|")
NAMES = {b",": "comma", b";": "semicolon", b"\t": "tab", b"|": "bar"}

_STATED = re.compile(rb"sep=(.)\s*$", re.IGNORECASE)


class Found(NamedTuple):
    dialect: Dialect
    reason: str


class _Trial(NamedTuple):
    score: float
    share: float
    width: int


def find_dialect(text: Text, wanted: str | None = None) -> Found:
    """`wanted` is a delimiter that wins; otherwise a line `sep=;` does, and then whatever gives the most records
    of one width. Raises SourceUnreadable for a delimiter that is not one ASCII character."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        sample = file.read(SAMPLE)
        whole = len(sample) < SAMPLE
    if wanted is not None:
        delimiter, reason = _checked(wanted), "as configured"
    elif stated := _STATED.match(sample.split(text.newline, 1)[0]):
        delimiter, reason = stated[1], "the first line says so"
    else:
        trials = {mark: _trial(sample, mark, text, b'"', whole=whole) for mark in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda mark: trials[mark].score)
        best = trials[delimiter]
        reason = f"{best.share:.0%} of the first records have {best.width} cells"
        if not best.score:
            reason = "nothing separates cells; every record is one cell"
    quote: bytes | None = b'"'
    if b'"' in sample:
        with_quotes = _trial(sample, delimiter, text, b'"', whole=whole)
        without = _trial(sample, delimiter, text, None, whole=whole)
        loose = without.share >= with_quotes.share and not _quotes_enclose(sample, delimiter)
        if loose or without.share > with_quotes.share + 0.02:
            quote, reason = None, f"{reason}; quotes are ordinary characters"
    dialect = Dialect(delimiter, quote, text.newline)
    return Found(dialect, f"separated by {NAMES.get(delimiter, delimiter.decode('latin-1'))}: {reason}")


def _quotes_enclose(sample: bytes, delimiter: bytes) -> bool:
    """Whether cells that begin with a quote also end with one, mostly; otherwise it is an inch mark or so."""
    d = re.escape(delimiter)
    edge = rb"(?:^|[%b\r\n])" % d
    opened = len(re.findall(edge + rb'"', sample))
    enclosed = len(re.findall(rb'%b"(?:[^"]|"")*+"(?=[%b\r\n]|$)' % (edge, d), sample))
    return not opened or enclosed > opened / 2


def _checked(wanted: str) -> bytes:
    if len(wanted) != 1 or not wanted.isascii() or wanted in '"\r\n\0':
        raise SourceUnreadable(f"“{wanted}” cannot separate cells", delimiter=wanted)
    return wanted.encode("ascii")


def _trial(sample: bytes, delimiter: bytes, text: Text, quote: bytes | None, *, whole: bool) -> _Trial:
    rows = _rows(sample, Dialect(delimiter, quote, text.newline), text.encoding, whole=whole)
    widths = Counter(0 if isinstance(row, BrokenRow) else len(row) for row in rows if any(row))
    wide = [(count, width) for width, count in widths.items() if width > 1]
    if not wide:
        return _Trial(0.0, 0.0, 1)
    count, width = max(wide)
    share = count / widths.total()
    score = share + 0.02 * min(width, 20)
    if delimiter == b",":
        # "Bolt;3,50" must not fall into two columns at its decimal commas
        decimals, commas = len(re.findall(rb"\d,(?=\d)", sample)), sample.count(b",")
        score *= 0.5 if decimals > commas / 2 else 1.0
    return _Trial(score, share, width)


def _rows(sample: bytes, dialect: Dialect, encoding: str, *, whole: bool) -> list[Row]:
    decode = decoder(dialect, encoding)
    rows: list[Row] = []
    for block in cut(io.BytesIO(sample), offset=0, dialect=dialect):
        records = (
            block.records if dialect.newline == b"\r" else [record.removesuffix(b"\r") for record in block.records]
        )
        rows += decode(records[:RECORDS])
        if len(rows) > RECORDS:
            break
    # the sample may end within a record
    return rows[:RECORDS] if whole or len(rows) > RECORDS else rows[:-1]
