"""Notices lines that are written in another dialect than the list they stand in."""

from __future__ import annotations

import re

from parsers.quoting import Dialect

_OTHERS = (",", ";", "\t", "|")
_NUMBER = re.compile(r"[\s\"']*[^\w\s,.]?\s*\d[\d\s.,']*(?:[^\w\s]|[A-Za-z]{3})?[\s\"']*")
_DECIMAL_COMMAS_ONLY = re.compile(r"(?:[^,]|(?<=\d),(?=\d))*")


class Strangers:
    """A line counts as a stranger if its own separator does not stand in it (a comma does not, between digits), but
    another one does, exactly as often as makes a complete row, with a number among the cells. Such a line would pass
    for a title, or its decimals for a column."""

    def __init__(self, dialect: Dialect, width: int) -> None:
        """`width`: cells of a complete row."""
        self._own = dialect.delimiter.decode("ascii")
        self._others = tuple(mark for mark in _OTHERS if mark != self._own)
        self._separators = width - 1

    def may_be_in(self, text: str) -> bool:
        return any(mark in text for mark in self._others)

    def __contains__(self, line: str) -> bool:
        if not (self._own not in line or (self._own == "," and _DECIMAL_COMMAS_ONLY.fullmatch(line))):
            return False
        return any(
            line.count(mark) == self._separators and any(map(_NUMBER.fullmatch, line.split(mark)))
            for mark in self._others
        )
