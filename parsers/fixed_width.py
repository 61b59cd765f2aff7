"""Finds and reads columns that are told apart by their places in a line, not by a separator."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from contracts.questions import Option, Question
from contracts.rows import BrokenRow, Row
from parsers.chunk import Decoder, broken
from parsers.cutting import MAX_RECORD

FEWEST = 5
"""Lines from which columns are looked for; blanks of fewer lines stand below each other by chance."""
SURE = 2
"""Blank places between two columns that no text has by chance; a single one is no proof."""
_FIGURE = re.compile(r"[^\w]*\d[\d\s.,']*[^\w]*(?:[A-Za-z]{3})?")
_NUMERIC = 0.8
RULE = " \t\r\n-=_*+|─━═│"
"""A line of nothing else is drawn, not written: it crosses all columns."""

Places = str | list[str]
"""A line, one place each."""


class Columns(NamedTuple):
    """Places (0-based) at which columns begin, as seen in a monospaced font."""

    starts: tuple[int, ...]
    numeric: tuple[int, ...]
    """Columns that mostly hold numbers."""
    gapped: bool
    """True: a blank stands in front of every column, so that a value that is too long is seen."""
    lines: int
    """From how many lines this was found."""


def find_columns(lines: Sequence[str]) -> tuple[Columns | None, Columns | None]:
    """The columns that are proven, and what they would be if a single blank place proved a border (None = the same).
    Titles and other lines that are much shorter than most are passed over."""
    table = _table(lines)
    if len(table) < FEWEST:
        return None, None
    length = max(map(len, table))
    blank = [all(place >= len(line) or line[place] == " " for line in table) for place in range(length)]
    gaps = _gaps(blank)
    every = _columns(table, gaps)
    numeric = {every.starts[number] for number in every.numeric}
    behind = {every.starts[number + 1] for number in every.numeric if number + 1 < len(every.starts)}
    # one blank place is a border where numbers stand on one side of it
    sure = [gap for gap in gaps if gap[1] - gap[0] >= SURE or gap[1] in numeric or gap[1] in behind]
    proven = _columns(table, sure)
    if len(proven.starts) < 2 or not proven.numeric:
        return None, None
    return proven, None if len(proven.starts) == len(every.starts) else every


def stated_columns(starts: Sequence[int], lines: Sequence[str]) -> Columns:
    """Columns as somebody said."""
    table = _table(lines)
    first, *others = sorted(set(starts))
    columns = _columns(table, [(start, start) for start in others])
    crossed = sum(_crosses(line, columns.starts) for line in table)
    return columns._replace(starts=(first, *columns.starts[1:]), gapped=crossed * 20 <= len(table))


def which_columns(proven: Columns, maybe: Columns, lines: Sequence[str]) -> Question | None:
    """Asked where words that always stand below each other could be a column of their own, and look like codes."""
    table = _table(lines)
    extra = [start for start in maybe.starts if start not in proven.starts]
    for border in extra:
        before = max((start for start in proven.starts if start < border), default=0)
        words = [word for line in table if (word := _text(line, before, border))]
        coded = sum(any(map(str.isdigit, word)) and " " not in word for word in words)
        if coded * 2 > len(words):
            options = tuple(
                Option(
                    f"{len(columns.starts)} columns",
                    f"the first lines read {shown(columns, table)}",
                    {"read": {"fixed_width": list(columns.starts)}},
                )
                for columns in (maybe, proven)
            )
            return Question("layout", f"does a column begin at place {border} of each line?", options)
    return None


def shown(columns: Columns, table: Sequence[Places]) -> str:
    """The cells of a few lines, for a person."""
    ends = (*columns.starts[1:], None)
    rows = (
        " | ".join(_text(line, start, end) for start, end in zip(columns.starts, ends, strict=True))
        for line in table[1:3]
    )
    return "; ".join(f"“{row[:100]}”" for row in rows)


def fixed_decoder(columns: Columns, encoding: str) -> Decoder:
    """Cells without the blanks around them. A line with text across a border is one cell (a title, a note), or broken
    if a number stands where numbers belong: a value was too long, and nobody can tell where it ends."""
    starts = columns.starts
    ends = (*starts[1:], None)

    def decode(records: Sequence[bytes]) -> list[Row]:
        return [_row(record) for record in records]

    def _row(record: bytes) -> Row:
        if len(record) > MAX_RECORD:
            return broken(record[:4_096].decode(encoding, "replace"), "row_too_large")
        try:
            text = record.decode(encoding)
        except UnicodeDecodeError:
            return BrokenRow((record.decode(encoding, "surrogateescape"),), "row_unreadable")
        if not text.strip(RULE) and text.strip():
            return [text.strip(), *[""] * (len(starts) - 1)]
        line = laid_out(text)
        parts = [_text(line, start, end) for start, end in zip(starts, ends, strict=True)]
        if columns.gapped and ("\t" in text or _crosses(line, starts)):
            if any(map(str.isdigit, "".join(parts[number] for number in columns.numeric))):
                return broken(text, "row_ragged")
            return [text.strip(), *[""] * (len(starts) - 1)]
        return list(parts)

    return decode


def laid_out(line: str) -> Places:
    """The line by places: a wide character of East Asia takes two, an accent of its own none."""
    line = line.rstrip("\r")
    if line.isascii():
        return line
    places: list[str] = []
    for character in line:
        if unicodedata.combining(character) and places:
            places[-1] += character
        else:
            places.append(character)
            if unicodedata.east_asian_width(character) in "WF":
                places.append("")
    return places


def _table(lines: Sequence[str]) -> list[Places]:
    filled = [laid_out(line.rstrip()) for line in lines if line.strip(RULE)]
    if not filled:
        return []
    usual = median(map(len, filled))
    return [line for line in filled if 0.6 * usual <= len(line) <= 1.4 * usual + 10 and "\t" not in line]


def _text(line: Places, start: int, end: int | None) -> str:
    return "".join(line[start:end]).strip()


def _gaps(blank: Sequence[bool]) -> list[tuple[int, int]]:
    """Runs of blank places with text on both sides."""
    gaps: list[tuple[int, int]] = []
    start = None
    for place, is_blank in enumerate(blank):
        if is_blank and start is None:
            start = place
        elif not is_blank:
            if start:
                gaps.append((start, place))
            start = None
    return gaps


def _columns(table: Sequence[Places], gaps: Sequence[tuple[int, int]]) -> Columns:
    """A column of numbers begins right behind the text before it, because longer numbers grow to the left."""
    borders = [(0, 0), *gaps]
    ends = [start for start, _ in gaps]
    starts: list[int] = []
    numeric: list[int] = []
    kept: int | None = None
    for number, (left, right) in enumerate(borders):
        end = ends[number] if number < len(ends) else None
        cells = [cell for line in table if (cell := _text(line, right, end))]
        if len(cells) < 2 and end is not None:
            # a word of the header above a blank: the first of several above the next column
            kept = right if kept is None else kept
            continue
        figures = sum(_FIGURE.fullmatch(cell) is not None for cell in cells)
        if cells and figures >= _NUMERIC * len(cells):
            numeric.append(len(starts))
            starts.append(0 if not number else min(left + 1, right) if kept is None else kept)
        else:
            starts.append(right if kept is None else kept)
        kept = None
    return Columns(tuple(starts), tuple(numeric), True, len(table))


def _crosses(line: Places, starts: Sequence[int]) -> bool:
    return any(0 < start < len(line) and line[start - 1] != " " and line[start] != " " for start in starts)
