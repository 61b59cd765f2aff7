"""Notices lines that are written in another dialect than the list they stand in, or may be."""

from __future__ import annotations

import re

from contracts.rows import Row
from parsers.chunk import broken
from parsers.quoting import Dialect

_OTHERS = (",", ";", "\t", "|")
_NUMBER = re.compile(r"[\s\"']*[^\w\s,.]?\s*\d[\d\s.,']*(?:[^\w\s]|[A-Za-z]{3})?[\s\"']*")
_DECIMAL_COMMAS_ONLY = re.compile(r"(?:[^,]|(?<=\d)(?<!\.\d)(?<!\.\d\d),(?=\d{1,3}(?!\d)))*")
"""Behind at most three digits: "69.00,5894193" is two numbers."""


class Strangers:
    """A line counts as a stranger if its own separator does not stand in it (a comma does not, between digits), but
    another one does, exactly as often as makes a complete row, with a number among the cells. Such a line would pass
    for a title, or its decimals for a column."""

    def __init__(self, dialect: Dialect, width: int, *, quoting: bool) -> None:
        """`width`: cells of a complete row. `quoting`: some cells are quoted, although the dialect has no quotes."""
        self._own = dialect.delimiter.decode("ascii")
        self._others = tuple(mark for mark in _OTHERS if mark != self._own)
        self._separators = width - 1
        self._quotes_are_text = dialect.quote is None
        self._quoting = quoting
        self._suspicious = self._quotes_are_text or (self._own == "," and width == 2)

    def may_be_in(self, text: str) -> bool:
        return any(mark in text for mark in self._others) or (self._quotes_are_text and '"' in text)

    def row(self, line: str) -> Row:
        """Cells, or a BrokenRow. A complete row is looked at only where it could be one by decimal commas or quotes."""
        cells = line.split(self._own)
        if len(cells) == self._separators + 1 and not self._suspicious:
            return cells
        return broken(line, "row_ragged") if line in self else cells

    def __contains__(self, line: str) -> bool:
        if self._quotes_are_text and '"' in line and _halved(line.split(self._own), quoting=self._quoting):
            return True
        if not (self._own not in line or (self._own == "," and _DECIMAL_COMMAS_ONLY.fullmatch(line))):
            return False
        return any(
            line.count(mark) == self._separators and any(map(_NUMBER.fullmatch, line.split(mark)))
            for mark in self._others
        )


def _halved(cells: list[str], *, quoting: bool) -> bool:
    """A quote opens in one cell and closes in a later one: the separators between them may be text. Where cells are
    quoted, one of the two is enough, as the other may stand on another line."""
    odd = [cell for cell in cells if cell.count('"') % 2]
    if quoting:
        return any(cell.startswith('"') or cell.endswith('"') for cell in odd)
    return any(cell.startswith('"') for cell in odd[:-1])
