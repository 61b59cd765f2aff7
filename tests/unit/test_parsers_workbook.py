"""The readers of workbooks, as the child runs them, agree with each other and pick the right sheet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from contracts.rows import Cell
from parsers.workbook import SheetUnreadable, choose, read_sheet
from parsers.xlsx_scan import Marks, scan_sheet

TABLE: list[list[Any]] = [
    ["code", "name", "price", "new"],
    ["A1", "Größe _x0041_", 12.5, True],
    [],
    ["00123", "Болт", 7, False],
]
CELLS: list[list[Cell]] = [
    ["code", "name", "price", "new"],
    ["A1", "Größe _x0041_", Decimal("12.5"), True],
    [None] * 4,
    ["00123", "Болт", Decimal(7), False],
]


@pytest.fixture
def xlsx(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in TABLE:
        sheet.append([cell.replace("_x0041_", "_x005F_x0041_") if isinstance(cell, str) else cell for cell in row])
    book.save(tmp_path / "list.xlsx")
    return tmp_path / "list.xlsx"


@pytest.fixture
def xls(tmp_path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet")
    for number, row in enumerate(TABLE):
        for place, value in enumerate(row):
            sheet.write(number, place, value)
    book.save(str(tmp_path / "list.xls"))
    return tmp_path / "list.xls"


def cells(path: Path, kind: str, engine: str) -> list[list[Cell]]:
    return [row + [None] * (4 - len(row)) for row in read_sheet(path, kind, None, engine).rows]


@pytest.mark.parametrize("engine", ["calamine", "pandas"])
def test_every_engine_reads_the_same_cells_of_an_xlsx(xlsx: Path, engine: str) -> None:
    assert cells(xlsx, "xlsx", engine) == CELLS


@pytest.mark.parametrize("engine", ["calamine", "xlrd", "pandas"])
def test_every_engine_reads_the_same_cells_of_an_xls(xls: Path, engine: str) -> None:
    assert cells(xls, "xls", engine) == CELLS


def test_an_error_cell_makes_the_careful_reader_read_the_same_rest(xlsx: Path) -> None:
    book = openpyxl.load_workbook(xlsx)
    sheet = book.active
    assert sheet is not None
    sheet["D4"] = "#REF!"
    sheet["A9000"].number_format = "0"  # formatting makes rows that hold nothing
    sheet.sheet_format.outlineLevelRow = 1
    sheet.row_dimensions[2].hidden = True
    book.save(xlsx)
    assert scan_sheet(xlsx, "Sheet") == Marks(errors=True, padded=False, hidden_rows=1, hidden_columns=0)
    expected = [list(row) for row in CELLS]
    expected[3][3] = "#REF!"
    assert cells(xlsx, "xlsx", "calamine") == expected


def test_a_sheet_that_is_not_there_has_no_marks(xlsx: Path, tmp_path: Path) -> None:
    assert scan_sheet(xlsx, "Nope") == Marks()
    (tmp_path / "text").write_bytes(b"no zip")
    assert scan_sheet(tmp_path / "text", "Sheet") == Marks()


TABS = [("Cover", True), ("Old", False), ("Prices", True), ("More", True)]


@pytest.mark.parametrize(
    ("tabs", "wanted", "tables", "chosen"),
    [
        (TABS, None, {"Old", "Prices", "More"}, "Prices"),
        (TABS, None, set(), "Cover"),
        (TABS, "Old", set(), "Old"),
        (TABS, " prices ", set(), "Prices"),
        ([("Only", True)], None, set(), "Only"),
        ([("Hidden", False), ("Too", False)], None, {"Too"}, "Too"),
    ],
)
def test_the_sheet_is_chosen(tabs: list[tuple[str, bool]], wanted: str | None, tables: set[str], chosen: str) -> None:
    assert choose(tabs, wanted, tables.__contains__) == chosen


def test_a_sheet_that_cannot_be_chosen_lists_what_there_is() -> None:
    with pytest.raises(SheetUnreadable, match="Cover, Old, Prices, More"):
        choose(TABS, "Nope", lambda _: True)
    with pytest.raises(SheetUnreadable, match="Nope"):
        choose([("nope", True), ("NOPE", True)], "Nope", lambda _: True)
    with pytest.raises(SheetUnreadable, match="no sheets"):
        choose([], None, lambda _: True)
