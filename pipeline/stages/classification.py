"""Tells the rows of a list that are no items: blank, header, heading of a section, total line, note."""

from __future__ import annotations

from typing import NamedTuple

from contracts.rows import Cell, Row
from contracts.understanding import Understanding
from pipeline.understanding.table import is_number
from pipeline.understanding.text import TextInvalid, cell_text, clean, filled, fold, is_blank, shape
from pipeline.understanding.words import says_total

MAX_CATEGORY = 255


class Ignored(NamedTuple):
    """A row that is no item; `reason` is one of contracts.account.IGNORED. A section names the category below it."""

    reason: str
    category: tuple[str, ...] | None = None


class Classifier:
    """Keeps one state: the section that following rows belong to."""

    def __init__(self, understanding: Understanding) -> None:
        self._width = understanding.width
        self._sections = understanding.sections
        self._sku = tuple(column.index for column in understanding.columns_of("sku"))
        self._name = tuple(column.index for column in understanding.columns_of("name"))
        self._price = understanding.columns_of("price")[0].index
        self.name_is_key = set(self._name) <= set(self._sku)
        self._named = understanding.header_row is None and any(column.header for column in understanding.columns)
        two_lines = understanding.header_rows > 1
        self._headers = {
            column.index: {fold(column.header)} | ({""} if two_lines else set())
            for column in understanding.columns
            if column.header
        }
        self._price_header = self._headers.get(self._price, set()) - {""}
        self._shapes = frozenset(understanding.key_shapes)
        self.section: tuple[tuple[int, str], ...] = ()
        """(indent, title) from the outermost heading inwards."""

    def repeats_price_header(self, cell: Cell) -> bool:
        """True for the header text in the price column, of a row whose key and name are filled."""
        return isinstance(cell, str) and cell[:1].isalpha() and fold(cell) in self._price_header

    def no_item(self, cells: Row) -> Ignored | None:
        """Why a row is no item. With a key, or something like a price in the price column, it is one, except for
        repeated headers, total lines, headings, and single texts that do not look like a code."""
        here = filled(cells)
        if not here:
            return Ignored("blank")
        if self._named:
            return None
        if self._is_header(cells, here):
            return Ignored("header")
        if len(here) == 1:
            return self._lone(cells, here[0])
        key = any(not is_blank(cells[index]) for index in self._sku)
        if (self.name_is_key or not (key and self._has_name(cells))) and self._is_total(cells, here):
            return Ignored("total")
        if key or is_number(cells[self._price]) or self._is_mostly_filled(cells, here):
            return None
        return Ignored("note")

    def _has_name(self, cells: Row) -> bool:
        return any(not is_blank(cells[index]) for index in self._name)

    def _is_mostly_filled(self, cells: Row, here: list[int]) -> bool:
        """A row with a name and half of its cells is an item that lacks key and price, not a note."""
        return not self.name_is_key and len(here) * 2 >= self._width and self._has_name(cells)

    def _is_total(self, cells: Row, here: list[int]) -> bool:
        found = False
        for index in here:
            cell = cells[index]
            if isinstance(cell, str) and not is_number(cell) and fold(cell):
                if not says_total(cell):
                    return False
                found = True
        return found

    def _is_header(self, cells: Row, here: list[int]) -> bool:
        return (
            len(here) > 1
            and len(self._headers) > 1
            and all(fold(cell_text(cells[index])) in self._headers.get(index, ()) for index in here)
        )

    def _lone(self, cells: Row, index: int) -> Ignored | None:
        cell = cells[index]
        if index == self._price and is_number(cell):
            return None
        text = cell_text(cell).strip()
        if says_total(text):
            return Ignored("total")
        is_key = index in self._sku and not self.name_is_key
        if is_key and shape(text) in self._shapes:
            return None
        if self._sections:
            return self._enter(text=cell_text(cell))
        return None if is_key and len(text.split()) == 1 else Ignored("note")

    def _enter(self, text: str) -> Ignored:
        """A heading lies below the one before it that is indented less; otherwise it replaces it."""
        try:
            title = clean(text)[:MAX_CATEGORY].rstrip()
        except TextInvalid:
            return Ignored("note")
        indent = len(text) - len(text.lstrip(" \u00a0"))
        self.section = (*(part for part in self.section if part[0] < indent), (indent, title))
        return Ignored("section", tuple(title for _, title in self.section))
