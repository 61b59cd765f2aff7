"""Applies the rules of a profile to rows: texts that mean another, rows that are no items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

from contracts.rows import Cell, Row
from contracts.understanding import IgnoreRule, Understanding
from pipeline.understanding.row_rules import translated
from pipeline.understanding.text import TextInvalid, cell_text, clean


class Rules:
    """Pure."""

    def __init__(self, understanding: Understanding) -> None:
        self._words: dict[int, dict[str, str]] = {}
        for field, words in understanding.rules.values:
            for column in understanding.columns_of(field):
                self._words.setdefault(column.index, {}).update(words)
        self._ignore = [(rule.index, _test(rule)) for rule in understanding.rules.ignore]

    def __bool__(self) -> bool:
        return bool(self._words or self._ignore)

    def concern(self, cells: Row) -> bool:
        """True if a row is to be read otherwise than it stands. Its cells are clean text."""
        return any(cells[index] in words for index, words in self._words.items()) or self.ignore(cells)

    def ignore(self, cells: Row) -> bool:
        """True for rows that a person declared to be no items."""
        for index, test in self._ignore:
            for cell in cells if index is None else cells[index : index + 1]:
                if cell is not None and test(_text(cell)):
                    return True
        return False

    def translate(self, cells: Row) -> Row:
        """The row with what its cells are read as."""
        if not self._words:
            return cells
        changed = list(cells)
        for index, words in self._words.items():
            if index < len(changed):
                changed[index] = translated(changed[index], words)
        return changed


def _text(cell: Cell) -> str:
    try:
        return clean(cell_text(cell))
    except TextInvalid:
        return ""


def _test(rule: IgnoreRule) -> Callable[[str], bool]:
    if rule.how == "equals":
        return lambda text: text.casefold() == rule.text
    if rule.how == "contains":
        return lambda text: rule.text in text.casefold()
    # The expressions of pydantic take linear time; those of re could stop a worker.
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=rule.text)])

    def matches(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return matches
