"""A second opinion on what the usual readers cannot read, by pandas' other readers; no type is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from contracts.rows import Cell
from parsers.values import cell
from parsers.workbook_marks import Marks
from parsers.workbook_rows import without_tail
from parsers.workbook_tabs import Tabs
from parsers.xlsx_rows import unescaped


class PandasBook:
    def __init__(self, path: Path, kind: str) -> None:
        self._escaped = kind == "xlsx"
        self._path = path
        with self._opened() as book:
            self.tabs: Tabs = [(str(name), True) for name in book.sheet_names]
        self.notes = ["the usual reader could not read the workbook; another one did, without its number formats"]
        self._frames: dict[str, pd.DataFrame] = {}

    def peek(self, name: str) -> Iterator[list[Cell]]:
        return self.rows(name, Marks())

    def count(self, name: str) -> int:
        return len(self._frame(name))

    def marks(self, name: str) -> Marks:
        return Marks()

    def rows(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        values = self._frame(name).itertuples(index=False, name=None)
        return without_tail([self._cell(value) for value in row] for row in values)

    def _opened(self) -> pd.ExcelFile:
        return pd.ExcelFile(self._path, engine="openpyxl" if self._escaped else "calamine")

    def _frame(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            with self._opened() as book:
                self._frames[name] = pd.read_excel(book, sheet_name=name, header=None, dtype=object, na_filter=False)
        return self._frames[name]

    def _cell(self, value: Any) -> Cell:
        return unescaped(value) if self._escaped and isinstance(value, str) else cell(value)
