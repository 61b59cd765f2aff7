"""Reads one sheet of a workbook as cells; runs in the child process only."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from contracts.rows import Cell
from parsers.values import cell, padded
from parsers.xlsx_scan import padding, scan_sheet

KEPT_WIDTH = 256
"""Blank cells at the end of a row are kept up to this column."""

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class SheetUnreadable(Exception):
    """A sentence for the user; crosses the pipe as it is."""


class Sheet(NamedTuple):
    name: str
    notes: list[str]
    rows: Iterator[list[Cell]]
    """From the first row of the sheet on, blank ones included."""


def read_sheet(path: Path, kind: str, wanted: str | None, engine: str) -> Sheet:
    """Whatever else a reader raises means that it cannot read this file; another engine may."""
    return {"calamine": _calamine, "xlrd": _xlrd, "pandas": _pandas}[engine](path, kind, wanted)


def _row(values: Sequence[Cell]) -> list[Cell]:
    row = list(values)
    while len(row) > KEPT_WIDTH and row[-1] is None:
        row.pop()
    return row


def choose(tabs: Sequence[tuple[str, bool]], wanted: str | None, holds_table: Callable[[str], bool]) -> str:
    """`tabs` are names and whether they are visible. Without a name: the first visible one with a table."""
    names = [name for name, _ in tabs]
    if wanted is not None:
        folded = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
        if wanted in names or len(folded) == 1:
            return wanted if wanted in names else folded[0]
        raise SheetUnreadable(f"there is no sheet “{wanted}”; there are: {', '.join(names)}")
    if not tabs:
        raise SheetUnreadable("the workbook has no sheets")
    visible = [name for name, shown in tabs if shown] or names
    if len(visible) == 1:
        return visible[0]
    return next((name for name in visible if holds_table(name)), visible[0])


def _is_table(rows: Iterator[list[Cell]]) -> bool:
    """Two rows with two cells each."""
    found = 0
    for row in rows:
        found += sum(value is not None for value in row) > 1
        if found == 2:
            return True
    return False


def _tab_notes(tabs: Sequence[tuple[str, bool]], chosen: str) -> list[str]:
    others = [name if shown else f"{name} (hidden)" for name, shown in tabs if name != chosen]
    notes = [f"sheet “{chosen}” was read; others: {', '.join(others)}"] if others else []
    if not dict(tabs)[chosen]:
        notes.append(f"sheet “{chosen}” is hidden")
    return notes


def _hidden_notes(rows: int, columns: int) -> list[str]:
    return [f"{count} hidden {what} were read" for count, what in ((rows, "rows"), (columns, "column groups")) if count]


def _calamine(path: Path, kind: str, wanted: str | None) -> Sheet:
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415

    try:
        book = CalamineWorkbook.from_path(path)
    except PasswordError:
        raise SheetUnreadable("the workbook is protected by a password") from None
    tabs = [
        (sheet.name, sheet.visible == SheetVisibleEnum.Visible)
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet
    ]

    def rows(name: str) -> Iterator[list[Cell]]:
        sheet = book.get_sheet_by_name(name)
        # iter_rows begins at the first row of the sheet, but at the first column that is used
        left: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)
        for values in sheet.iter_rows():
            yield _row([*left, *map(cell, values)])

    name = choose(tabs, wanted, lambda tab: _is_table(rows(tab)))
    notes = _tab_notes(tabs, name)
    if kind == "xlsx":
        marks = scan_sheet(path, name)
        notes += _hidden_notes(marks.hidden_rows, marks.hidden_columns)
        if marks.errors or marks.padded:
            notes += ["codes with leading zeros were read as they are shown"] if marks.padded else []
            end = book.get_sheet_by_name(name).end
            return Sheet(name, notes, _openpyxl_rows(path, name, 0 if end is None else end[1] + 1))
    return Sheet(name, notes, rows(name))


def _openpyxl_rows(path: Path, name: str, width: int) -> Iterator[list[Cell]]:
    """Slow, but keeps error cells and number formats. Rows are filled up to `width`."""
    from openpyxl import load_workbook  # noqa: PLC0415

    with path.open("rb") as file:  # by name it would insist on a file extension
        sheet: Any = load_workbook(file, read_only=True, data_only=True, keep_links=False)[name]
        sheet.reset_dimensions()  # what a sheet claims as its size may be a lie
        rows = ([_openpyxl_cell(one) for one in found] for found in sheet.iter_rows())
        yield from _without_tail(_row(row + [None] * (width - len(row))) for row in rows)


def _openpyxl_cell(found: Any) -> Cell:
    value = found.value
    if isinstance(value, str):
        return _unescape(value) or None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        digits = padding(found.number_format or "")
        return padded(value, digits) if digits else cell(value)
    return cell(value)


def _unescape(text: str) -> str:
    """_x000D_ and the like, as the file format writes control characters."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _without_tail(rows: Iterable[list[Cell]]) -> Iterator[list[Cell]]:
    """Without the blank rows behind the last row that holds something; formatting can make them a million."""
    blank = 0
    for row in rows:
        if not any(value is not None for value in row):
            blank += 1
            continue
        for _ in range(blank):
            yield []
        blank = 0
        yield row


def _xlrd(path: Path, _kind: str, wanted: str | None) -> Sheet:
    import xlrd  # noqa: PLC0415

    with open(os.devnull, "w") as log:  # noqa: PTH123
        book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True, logfile=log)
        shown = book._sheet_visibility  # noqa: SLF001
        tabs = [(name, not visibility) for name, visibility in zip(book.sheet_names(), shown, strict=False)]
        error_text = xlrd.error_text_from_code
        name = choose(tabs, wanted, lambda tab: _is_table(_xlrd_rows(book, book.sheet_by_name(tab), error_text)))
        sheet = book.sheet_by_name(name)
    hidden_rows = sum(1 for info in sheet.rowinfo_map.values() if info.hidden)
    hidden_columns = sum(1 for info in sheet.colinfo_map.values() if info.hidden)
    notes = [*_tab_notes(tabs, name), *_hidden_notes(hidden_rows, hidden_columns)]
    return Sheet(name, notes, _xlrd_rows(book, sheet, error_text))


def _xlrd_rows(book: Any, sheet: Any, error_text: dict[int, str]) -> Iterator[list[Cell]]:
    from xlrd.xldate import XLDateError, xldate_as_datetime  # noqa: PLC0415

    digits = [padding(book.format_map[xf.format_key].format_str) for xf in book.xf_list]
    for index in range(sheet.nrows):
        row: list[Cell] = []
        types, values, styles = sheet.row_types(index), sheet.row_values(index), sheet._cell_xf_indexes[index]  # noqa: SLF001
        for place, (kind, value) in enumerate(zip(types, values, strict=True)):
            if kind == 2:
                pad = digits[styles[place]]
                row.append(padded(value, pad) if pad else cell(value))
            elif kind == 3:
                try:
                    row.append(cell(xldate_as_datetime(value, book.datemode)))
                except (XLDateError, OverflowError):
                    row.append(cell(value))
            elif kind == 4:
                row.append(bool(value))
            elif kind == 5:
                row.append(error_text.get(value, "#ERR!"))
            else:
                row.append(cell(value))
        yield _row(row)


def _pandas(path: Path, kind: str, wanted: str | None) -> Sheet:
    """A second opinion on what calamine cannot read, by pandas' other readers; no type is guessed."""
    import pandas as pd  # noqa: PLC0415

    with pd.ExcelFile(path, engine="openpyxl" if kind == "xlsx" else "calamine") as book:
        tabs = [(str(name), True) for name in book.sheet_names]

        def frame(name: str) -> pd.DataFrame:
            return pd.read_excel(book, sheet_name=name, header=None, dtype=object, na_filter=False)

        escaped = kind == "xlsx"
        name = choose(tabs, wanted, lambda tab: _is_table(_frame_rows(frame(tab), escaped=escaped)))
        rows = _frame_rows(frame(name), escaped=escaped)
    return Sheet(name, [*_tab_notes(tabs, name), "the usual reader could not read the workbook; another one did"], rows)


def _frame_rows(frame: Any, *, escaped: bool) -> Iterator[list[Cell]]:
    for values in frame.itertuples(index=False, name=None):
        yield _row([cell(_unescape(value) if escaped and isinstance(value, str) else value) for value in values])
