"""An .xlsx: values by the fast reader where it loses nothing, else row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from contracts.rows import Cell
from parsers.workbook_marks import Marks
from parsers.workbook_rows import KEPT_WIDTH
from parsers.workbook_tabs import SheetUnreadable, Tabs
from parsers.xlsx_package import Package
from parsers.xlsx_rows import read_rows
from parsers.xlsx_scan import scan_sheet

FAST_CELLS = 2_500_000
"""The fast reader holds a sheet in memory, blank cells included; a larger one is read row by row."""


class XlsxBook:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._package = Package(zipfile.ZipFile(path))
        self._parts = {tab.name: tab.part for tab in self._package.tabs}
        if len(self._parts) < len(self._package.tabs):
            raise SheetUnreadable("two sheets have one name")
        self.tabs: Tabs = [(tab.name, tab.visible) for tab in self._package.tabs]
        self.notes: list[str] = []

    def peek(self, name: str) -> Iterator[list[Cell]]:
        return read_rows(self._package, self._parts[name])

    def count(self, name: str) -> int:
        return scan_sheet(self._package, self._parts[name]).rows

    def marks(self, name: str) -> Marks:
        return scan_sheet(self._package, self._parts[name])

    def rows(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        if not marks.careful and marks.last_row * marks.width <= FAST_CELLS:
            from python_calamine import CalamineError  # noqa: PLC0415

            from parsers.calamine_book import CalamineBook  # noqa: PLC0415

            with suppress(CalamineError):
                return CalamineBook(self._path).rows(name, marks)
        return self._careful(name, marks)

    def _careful(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        width = min(marks.width, KEPT_WIDTH)
        for row in read_rows(self._package, self._parts[name], money=marks.money):
            if row and len(row) < width:
                row.extend([None] * (width - len(row)))
            yield row
