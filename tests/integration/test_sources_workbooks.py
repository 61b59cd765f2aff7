"""Workbooks are read in a child that may die; nothing of a sheet is lost silently."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import openpyxl
import psutil
import pytest
import xlwt
from openpyxl.worksheet.worksheet import Worksheet

from contracts.errors import ParserDied, PricemillError, SourceTooLarge, SourceUnreadable
from contracts.parser import Reading, Source
from contracts.rows import Row
from contracts.task import CsvSource, ExcelSource
from parsers.delimited import DelimitedParser
from parsers.excel import ExcelParser
from parsers.process import Job, convert
from parsers.resources import Resources

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 120))


def source_of(path: Path) -> Source:
    """As it lies in a spool: by a name without an extension."""
    spool = path.parent / f"spool-{path.name}"
    spool.mkdir(exist_ok=True)
    shutil.copy(path, spool / "source")
    data = path.read_bytes()
    return Source(spool / "source", hashlib.sha256(data).hexdigest(), len(data), path.name)


def read(path: Path, resources: Resources | None = None, **config: Any) -> tuple[Reading, list[Row]]:
    async def work() -> tuple[Reading, list[Row]]:
        parser = ExcelParser(resources or Resources())
        reading = await parser.open(source_of(path), ExcelSource(file_path="x", **config))
        return reading, [row async for chunk in reading.chunks() for row in chunk.rows()]

    return run(work())


@pytest.fixture
def book(tmp_path: Path) -> Callable[[Callable[[openpyxl.Workbook, Worksheet], None]], Path]:
    def make(fill: Callable[[openpyxl.Workbook, Worksheet], None]) -> Path:
        made = openpyxl.Workbook()
        assert isinstance(made.active, Worksheet)
        fill(made, made.active)
        made.save(tmp_path / "list.xlsx")
        return tmp_path / "list.xlsx"

    return make


Make = Callable[[Callable[[openpyxl.Workbook, Worksheet], None]], Path]


def test_rows_and_columns_stand_where_they_stand_in_the_sheet(book: Make) -> None:
    def fill(_: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet["C3"], sheet["D5"] = 1.5, "x"

    _, rows = read(book(fill))
    assert [list(row) for row in rows] == [
        [], [], [None, None, Decimal("1.5"), None], [], [None, None, None, "x"],
    ]  # fmt: skip


def test_codes_shown_with_zeros_keep_them_and_error_cells_keep_their_text(book: Make) -> None:
    def fill(_: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet.append(["code", "price", "text", "flag"])
        sheet.append([2193312, "#N/A", "a_x000D_b", True])
        sheet["A2"].number_format = "00000000000"
        sheet["B2"].data_type = "e"
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["C"].hidden = True

    reading, rows = read(book(fill))
    assert list(rows[1]) == ["00002193312", "#N/A", "a\rb", True]
    notes = " ".join(reading.description.notes)
    assert "1 hidden rows" in notes
    assert "1 hidden column" in notes
    assert "zeros" in notes


def test_codes_with_zeros_of_an_old_workbook_are_kept(tmp_path: Path) -> None:
    made = xlwt.Workbook()
    sheet = made.add_sheet("Tab")
    sheet.write(0, 0, 2193312, xlwt.easyxf(num_format_str="00000000000"))
    sheet.write(0, 1, 12.5)
    sheet.write(0, 2, True)
    made.save(str(tmp_path / "list.xls"))
    _, rows = read(tmp_path / "list.xls")
    assert list(rows[0]) == ["00002193312", Decimal("12.5"), True]


def test_a_merged_cell_has_its_value_at_the_top_left_only(book: Make) -> None:
    def fill(_: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet["A1"], sheet["A2"], sheet["B2"] = "Title", 1, 2
        sheet.merge_cells("A1:B1")

    _, rows = read(book(fill))
    assert list(rows[0]) == ["Title", None]


def several(made: openpyxl.Workbook, sheet: Worksheet) -> None:
    sheet.title = "Cover"
    sheet.append(["ACME"])
    for name, hidden in (("Old", True), ("Prices", False), ("More", False)):
        tab = made.create_sheet(name)
        tab.sheet_state = "hidden" if hidden else "visible"
        tab.append(["code", "price"])
        tab.append([name, 2])


def test_the_first_visible_sheet_with_a_table_is_read_and_the_others_are_named(book: Make) -> None:
    reading, rows = read(book(several))
    assert reading.description.sheet == "Prices"
    assert rows[1][0] == "Prices"
    assert any("Old (hidden)" in note and "More" in note for note in reading.description.notes)


def test_a_sheet_can_be_named_and_a_missing_one_lists_what_there_is(book: Make) -> None:
    path = book(several)
    reading, rows = read(path, sheet_name="Old")
    assert rows[1][0] == "Old"
    assert any("is hidden" in note for note in reading.description.notes)
    assert read(path, sheet_name=" more ")[0].description.sheet == "More"
    with pytest.raises(SourceUnreadable, match="Cover, Old, Prices, More"):
        read(path, sheet_name="Nope")


def test_the_sheet_is_converted_once_and_read_from_the_spool_after_that(book: Make) -> None:
    path = book(lambda _, sheet: sheet.append(["a", "b"]))
    source = source_of(path)
    parser = ExcelParser(Resources())

    async def opened() -> Reading:
        return await parser.open(source, ExcelSource(file_path="x"))

    run(opened())
    (converted,) = source.path.parent.glob("rows-*")
    inode = converted.stat().st_ino
    source.path.write_bytes(b"")  # would be unreadable
    source.path.write_bytes(path.read_bytes())
    run(opened())
    assert [found.stat().st_ino for found in source.path.parent.glob("rows-*")] == [inode]


def test_one_far_cell_is_read_at_the_memory_of_a_row(book: Make) -> None:
    def fill(_: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet["A1"], sheet["XFD1048576"] = 1, 2

    reading, rows = read(book(fill), Resources(child_memory_bytes=256_000_000))
    assert (len(rows), len(rows[-1]), rows[-1][-1]) == (1_048_576, 16_384, 2)
    assert reading.description.format == "xlsx"


def heavy(path: Path, rows: int, cell: bytes = b"") -> Path:
    """A sheet of many small rows that a child is busy with for seconds."""
    empty = path.with_name("empty.xlsx")
    openpyxl.Workbook().save(empty)
    with (
        zipfile.ZipFile(empty) as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in whole.namelist():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, whole.read(name))
        cells = b"".join(
            b'<row r="%d">%s</row>' % (row, cell or b'<c r="A%d"><v>1</v></c>' % row) for row in range(1, rows + 1)
        )
        head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        archive.writestr("xl/worksheets/sheet1.xml", head + cells + b"</sheetData></worksheet>")
    empty.unlink()
    return path


def job(path: Path, kind: str = "xlsx") -> Job:
    return Job(path, kind, None, path.name)


def test_a_child_that_computes_too_long_is_ended(tmp_path: Path) -> None:
    path = heavy(tmp_path / "heavy.xlsx", 700_000)
    with pytest.raises(ParserDied, match="SIGXCPU"):
        run(convert(job(path), tmp_path / "rows", Resources(child_cpu_seconds=1)))
    assert [found.name for found in tmp_path.iterdir()] == ["heavy.xlsx"]


def test_a_child_that_needs_too_much_memory_costs_its_task_and_not_the_worker(book: Make, tmp_path: Path) -> None:
    cell = b'<c r="A1" t="inlineStr"><is><t>%s</t></is></c>' % (b"x" * 60_000_000)
    path = heavy(tmp_path / "heavy.xlsx", 1, cell)
    with pytest.raises(ParserDied, match=r"memory|SIGABRT") as caught:
        run(convert(job(path), tmp_path / "rows", Resources(child_memory_bytes=128_000_000)))
    assert "heavy.xlsx" in caught.value.message
    assert not (tmp_path / "rows").exists()
    assert list(read(book(lambda _, sheet: sheet.append(["next"])))[1][0]) == ["next"]


def test_rows_above_the_limit_of_a_source_are_refused(tmp_path: Path) -> None:
    path = heavy(tmp_path / "heavy.xlsx", 50_000)
    with pytest.raises(SourceTooLarge):
        run(convert(job(path), tmp_path / "rows", Resources(max_source_bytes=300_000)))
    assert not (tmp_path / "rows").exists()


def test_a_cancelled_task_leaves_no_child_and_the_child_knows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = heavy(tmp_path / "heavy.xlsx", 300_000)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@h/d")

    async def work() -> tuple[list[psutil.Process], dict[str, str]]:
        own = psutil.Process(os.getpid())
        others = set(own.children())  # servers of other tests' fixtures
        task = asyncio.ensure_future(convert(job(path), tmp_path / "rows", Resources()))
        while not (children := [child for child in own.children() if child not in others]):  # noqa: ASYNC110 (a process tells nobody that it began)
            await asyncio.sleep(0.01)
        environment = children[0].environ()
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [child for child in children if child.is_running()], environment

    left, environment = run(work())
    assert left == []
    assert "canary" not in str(environment)
    assert "PATH" not in environment
    assert [found.name for found in tmp_path.iterdir()] == ["heavy.xlsx"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><table><tr><td>1</td></tr></table>", "web page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "2003"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"PK\x03\x04" + b"x" * 100, "whole workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "without a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "password"),
    ],
)
def test_what_is_no_workbook_is_called_by_its_name(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "list.xlsx").write_bytes(content)
    with pytest.raises(SourceUnreadable, match=message):
        read(tmp_path / "list.xlsx")


def test_a_workbook_called_csv_says_which_parser_reads_it(book: Make) -> None:
    path = book(lambda _, sheet: sheet.append(["a", "b"]))
    with pytest.raises(PricemillError, match="parser_type excel"):
        run(DelimitedParser(Resources()).open(source_of(path), CsvSource(file_path="x")))
