"""An .xls by xlrd, which keeps number formats and error cells."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlrd
from xlrd.formatting import std_format_strings

from contracts.rows import Cell
from parsers.values import cell
from parsers.workbook_formats import PLAIN, Shown, as_shown, moment, shown
from parsers.workbook_marks import Area, Marks, settle_currencies
from parsers.workbook_tabs import SheetUnreadable, Tabs

_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = 1, 2, 3, 4, 5


class _Nowhere(io.TextIOBase):
    """xlrd prints what it finds odd."""

    def write(self, text: str) -> int:
        return len(text)


class XlsBook:
    def __init__(self, path: Path) -> None:
        try:
            self._book: Any = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True, logfile=_Nowhere())
        except xlrd.XLRDError as error:
            if "encrypted" in str(error):
                raise SheetUnreadable("the workbook is protected by a password") from None
            raise
        visibility = self._book._sheet_visibility  # noqa: SLF001  (the public way loads each sheet)
        self.tabs: Tabs = [
            (name, not hidden) for name, hidden in zip(self._book.sheet_names(), visibility, strict=False)
        ]
        self.notes: list[str] = []
        self._from_1904 = bool(self._book.datemode)
        self._styles = [self._shown(style.format_key) for style in self._book.xf_list]

    def _shown(self, number: int) -> Shown:
        known = self._book.format_map.get(number)
        if known is None:
            return PLAIN
        how = shown(known.format_str)
        # what xlrd puts in place of a built-in format that the file does not write down
        guessed = how.sign is not None and known.format_str == std_format_strings.get(number)
        return how._replace(sign=None) if guessed else how

    def peek(self, name: str) -> Iterator[list[Cell]]:
        return self.rows(name, Marks())

    def count(self, name: str) -> int:
        return int(self._book.sheet_by_name(name).nrows)

    def marks(self, name: str) -> Marks:
        sheet = self._book.sheet_by_name(name)
        codes = percents = 0
        signs: dict[int, Counter[str | None]] = {}
        for row in range(sheet.nrows):
            for column, (kind, style) in enumerate(
                zip(sheet.row_types(row), self._row_styles(sheet, row), strict=True)
            ):
                if kind == _NUMBER:
                    how = self._styles[style]
                    codes += how.kind == "code"
                    percents += how.kind == "percent"
                    signs.setdefault(column, Counter())[how.sign] += 1
        currencies, money = settle_currencies(signs)
        areas = [Area(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells]
        return Marks(
            rows=sheet.nrows,
            last_row=sheet.nrows,
            width=sheet.ncols,
            codes=codes,
            percents=percents,
            currencies=currencies,
            money=money,
            hidden_rows=sum(1 for row, info in sheet.rowinfo_map.items() if info.hidden and row < sheet.nrows),
            hidden_columns=sum(1 for column, info in sheet.colinfo_map.items() if info.hidden and column < sheet.ncols),
            merged=tuple(area for area in areas if area.top <= Marks.MERGES_SEARCHED),
            tall=tuple(area for area in areas if area.bottom > area.top)[: Marks.MOST_TALL],
            merges=len(sheet.merged_cells),
        )

    def rows(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        sheet = self._book.sheet_by_name(name)
        money = frozenset(marks.money)
        for index in range(sheet.nrows):
            cells = zip(sheet.row_types(index), sheet.row_values(index), self._row_styles(sheet, index), strict=True)
            yield [self._cell(kind, value, style, place in money) for place, (kind, value, style) in enumerate(cells)]

    def _row_styles(self, sheet: Any, row: int) -> Any:
        return sheet._cell_xf_indexes[row]  # noqa: SLF001 (the public way makes an object a cell)

    def _cell(self, kind: int, value: Any, style: int, money: bool) -> Cell:
        if kind in {_NUMBER, _DATE}:
            how = self._styles[style]
            if not math.isfinite(value):
                return str(value)
            if how.kind in {"date", "elapsed"}:
                return moment(value, from_1904=self._from_1904, elapsed=how.kind == "elapsed")
            found = cell(value)
            return as_shown(found, how, money=money) if how is not PLAIN and isinstance(found, Decimal) else found
        if kind == _BOOLEAN:
            return bool(value)
        if kind == _ERROR:
            return str(xlrd.error_text_from_code.get(value, "#ERR!"))
        return cell(value)
