"""An .ods, read row by row; rows and cells that are said to be repeated are repeated, blank ones at the end are not."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from contracts.rows import Cell
from parsers.ods_rows import CONTENT, area, lines, tables
from parsers.workbook_formats import Shown, as_shown
from parsers.workbook_marks import Area, Marks, settle_currencies
from parsers.workbook_tabs import SheetUnreadable, Tabs

MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576
MAX_REPEATED = 20_000_000
"""Cells that may come from repetition; one tag can name billions."""


class OdsBook:
    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self._archive.getinfo(CONTENT)
        self.tabs: Tabs = [(table.name, table.visible) for table in tables(self._archive)]
        self.notes: list[str] = []

    def peek(self, name: str) -> Iterator[list[Cell]]:
        return self.rows(name, Marks())

    def count(self, name: str) -> int:
        return self.marks(name).rows

    def marks(self, name: str) -> Marks:
        kinds: Counter[str] = Counter()
        signs: dict[int, Counter[str | None]] = {}
        hidden_columns: list[tuple[int, int]] = []
        merged: list[Area] = []
        tall: list[Area] = []
        number = rows = width = hidden_rows = merges = 0
        for line in lines(self._archive, name, hidden_columns):
            number += line.times
            if not line.cells:
                continue
            rows = number
            hidden_rows += line.times if line.hidden else 0
            for found in line.cells:
                width = max(width, found.at + found.times)
                kinds[found.kind] += found.times * line.times
                if found.kind in {"float", "currency"}:
                    signs.setdefault(found.at, Counter())[found.sign] += line.times
                if (place := area(number, found)) is not None:
                    merges += 1
                    merged += [place] if number <= Marks.MERGES_SEARCHED else []
                    tall += [place] if place.bottom > place.top and len(tall) < Marks.MOST_TALL else []
        currencies, money = settle_currencies(signs)
        return Marks(
            rows=rows,
            last_row=rows,
            width=width,
            errors=kinds["error"] > 0,
            no_results=kinds["no result"],
            codes=kinds["code"],
            percents=kinds["percentage"],
            currencies=currencies,
            money=money,
            hidden_rows=hidden_rows,
            hidden_columns=sum(max(0, min(first + count, width) - first) for first, count in hidden_columns),
            merged=tuple(merged),
            merges=merges,
            tall=tuple(tall),
        )

    def rows(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        money = frozenset(marks.money)
        blank = number = repeated = 0
        for line in lines(self._archive, name, []):
            if not line.cells:
                blank += line.times
                continue
            row: list[Cell] = []
            for found in line.cells:
                value = found.value
                if found.sign is not None and found.at in money:
                    value = as_shown(value, Shown(sign=found.sign), money=True)
                row += [None] * (found.at - len(row)) + [value] * found.times
            repeated += len(row) * line.times if line.times > 1 or len(row) > MAX_COLUMNS else 0
            number += blank + line.times
            if repeated > MAX_REPEATED or number > MAX_ROWS or len(row) > MAX_COLUMNS:
                raise SheetUnreadable(f"sheet “{name}” repeats its cells beyond what a spreadsheet can hold")
            row += [None] * (marks.width - len(row))
            for _ in range(blank):
                yield []
            blank = 0
            for _ in range(line.times):
                yield list(row)
