"""Values of a workbook by python-calamine: fast, but it knows no number formats and no errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from contracts.rows import Cell
from parsers.values import cell
from parsers.workbook_marks import Marks
from parsers.workbook_rows import without_tail
from parsers.workbook_tabs import SheetUnreadable, Tabs


class CalamineBook:
    def __init__(self, path: Path) -> None:
        try:
            self._book = CalamineWorkbook.from_path(path)
        except PasswordError:
            raise SheetUnreadable("the workbook is protected by a password") from None
        self.tabs: Tabs = [
            (sheet.name, sheet.visible == SheetVisibleEnum.Visible)
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
        self.notes = ["number formats could not be looked at: codes may have lost their zeros"]

    def peek(self, name: str) -> Iterator[list[Cell]]:
        return self.rows(name, Marks())

    def count(self, name: str) -> int:
        return int(self._book.get_sheet_by_name(name).height)

    def marks(self, name: str) -> Marks:
        return Marks()

    def rows(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        sheet = self._book.get_sheet_by_name(name)
        # iter_rows begins at the first row of the sheet, but at the first column that is used
        left: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)
        return without_tail([*left, *map(cell, values)] for values in sheet.iter_rows())
