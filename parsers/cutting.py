"""Cuts a delimited byte stream into records without parsing their cells."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO, NamedTuple

from parsers.quoting import Dialect, is_closed, quotes

MAX_RECORD = 1_048_576
"""Bytes of one record. A longer line is cut off there; an open quote that runs longer never opened."""
MAX_LINES = 1_000
"""Lines of one record."""
BLOCK = 524_288


class Block(NamedTuple):
    """Consecutive records, still with the carriage return of their line end."""

    records: list[bytes]
    end: int
    """Byte offset behind the last record and its line end. Between two records of a block lies one byte; a
    record longer than MAX_RECORD, of which only the beginning is kept, is a block of its own."""
    returns: bool
    """False: no record ends with a carriage return."""


class _Grouper:
    """Joins the lines of quoted records.

    A quote that is not closed within MAX_LINES lines and MAX_RECORD bytes, or whose closing quote stands in the midst
    of text on a later line, counts as never opened: its first line is a record, and the next line starts outside. So
    that a file full of such quotes takes linear time, `inside` remembers up to which line an earlier attempt was inside
    a quote all the way: two attempts that are inside at the end of the same line go on alike.
    """

    def __init__(self, dialect: Dialect) -> None:
        assert dialect.quote is not None
        self._dialect = dialect
        self.quote = dialect.quote
        self._machine = quotes(dialect)
        self._inside = 0

    def group(self, lines: list[bytes], *, final: bool) -> tuple[list[bytes], list[bytes]]:
        """The complete records, and the lines to hand in again in front of the next ones (none if final)."""
        records: list[bytes] = []
        quote, closes, newline = self.quote, self._machine.closes.fullmatch, self._dialect.newline
        breaks = self._machine.breaks.match
        known, count, at = self._inside, len(lines), 0
        ends = list(accumulate(map(len, lines)))
        while at < count:
            line = lines[at]
            if quote not in line or is_closed(line, self._dialect):
                records.append(line)
                at += 1
                continue
            behind, limit = max(at + 1, known), min(count, at + MAX_LINES)
            never = False
            while behind < limit:
                candidate = lines[behind]
                if quote in candidate and ((never := breaks(candidate) is not None) or closes(candidate)):
                    break
                behind += 1
            known = behind
            last = min(behind, count - 1)
            size = ends[last] - ends[at] + len(line) + last - at
            if behind < limit and size <= MAX_RECORD and not never:
                records.append(newline.join(lines[at : behind + 1]))
                at = behind + 1
            elif never or final or behind >= at + MAX_LINES or size > MAX_RECORD:
                records.append(line)
                at += 1
            else:
                break
        self._inside = max(known - at, 0)
        return records, lines[at:]


def cut(file: BinaryIO, *, offset: int, dialect: Dialect) -> Iterator[Block]:
    """All records from a byte offset that is a record's start. Which bytes form a record depends on nothing
    but the bytes from there on. Memory stays within a few MAX_RECORD whatever the file holds."""
    newline = dialect.newline
    grouper = None if dialect.quote is None else _Grouper(dialect)
    file.seek(offset)
    held: list[bytes] = []
    partial = b""
    while True:
        block = file.read(BLOCK)
        data = partial + block
        behind = data.rfind(newline)
        lines = data[:behind].split(newline) if behind >= 0 else []
        partial = data[behind + 1 :]
        at_end, overlong = not block, len(partial) > MAX_RECORD
        if at_end and partial:
            lines.append(partial)
        waited = held
        if grouper is not None and (held or grouper.quote in data):
            records, held = grouper.group(held + lines, final=at_end or overlong)
        else:
            records = lines
        if records:
            end = offset + sum(map(len, records)) + len(records)
            returns = b"\r" in data or bool(waited)
            yield from _sized(records, offset, end - (at_end and bool(partial)), returns=returns)
            offset = end
        if at_end:
            return
        if overlong:
            head, length, partial = _skip_line(file, partial, newline)
            offset += length
            yield Block([head], offset, returns=True)


def _sized(records: list[bytes], start: int, end: int, *, returns: bool) -> Iterator[Block]:
    """One block, or several where a record must be cut off: that one stands alone, so that whoever adds up
    lengths to find the offset of a record within a block finds the right one."""
    if end - start <= MAX_RECORD or max(map(len, records)) <= MAX_RECORD:
        yield Block(records, end, returns)
        return
    run: list[bytes] = []
    at = start
    for record in records:
        if len(record) <= MAX_RECORD:
            run.append(record)
            at += len(record) + 1
            continue
        if run:
            yield Block(run, at, returns)
            run = []
        at += len(record) + 1
        yield Block([record[: MAX_RECORD + 1]], min(at, end), returns)
    if run:
        yield Block(run, end, returns)


def _skip_line(file: BinaryIO, partial: bytes, newline: bytes) -> tuple[bytes, int, bytes]:
    """The kept beginning of a line that is too long, its length with its line end, and what was read behind."""
    length = len(partial)
    while block := file.read(BLOCK):
        at = block.find(newline)
        if at >= 0:
            return partial[: MAX_RECORD + 1], length + at + 1, block[at + 1 :]
        length += len(block)
    return partial[: MAX_RECORD + 1], length, b""
