"""Which sheet of a workbook is the list, and what its formats say about it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from openpyxl.worksheet.worksheet import Worksheet

from config.profiles import amend, apply_profile
from contracts.errors import ListDoubtful, MappingIncomplete, SourceRefused, SourceUnreadable
from contracts.parser import Reading, Source
from contracts.questions import Question
from contracts.rows import Row
from contracts.task import ExcelSource, TaskOptions
from contracts.understanding import Understanding
from parsers.excel import ExcelParser
from parsers.resources import Resources
from pipeline.understanding.understand import understand


def source_of(path: Path) -> Source:
    spool = path.parent / f"spool-{path.name}"
    spool.mkdir(exist_ok=True)
    shutil.copy(path, spool / "source")
    data = path.read_bytes()
    return Source(spool / "source", hashlib.sha256(data).hexdigest(), len(data), path.name)


def opened(path: Path, **config: Any) -> tuple[Reading, list[Row]]:
    async def work() -> tuple[Reading, list[Row]]:
        parser = ExcelParser(Resources())
        reading = await parser.open(source_of(path), ExcelSource(file_path="x", **config))
        return reading, [row async for chunk in reading.chunks() for row in chunk.rows()]

    return asyncio.run(asyncio.wait_for(work(), 120))


def understood(path: Path, patch: dict[str, Any] | None = None) -> Understanding:
    """As a run understands it, with a profile that was answered."""
    profile = None if patch is None else amend(None, patch)
    config = apply_profile(ExcelSource(file_path="x"), profile)
    assert isinstance(config, ExcelSource)
    reading, rows = opened(path, **config.model_dump(exclude={"file_path"}, exclude_unset=True))
    sample = list(enumerate(rows, 1))
    return understand(sample, reading.description, source_config=config, options=TaskOptions(), profile=profile)


HEADER = ["Code", "Name", "Price"]


def fill(sheet: Worksheet, letter: str, count: int = 12, header: list[str] | None = None) -> None:
    sheet.append(header or HEADER)
    for number in range(count):
        sheet.append([f"{letter}-{number:03d}", f"Thing {letter}{number}", 10.5 + number])


@pytest.fixture
def alike(tmp_path: Path) -> Path:
    """Two sheets of one list, one of another shape, a hidden one."""
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    book.active.title = "Bolts"
    fill(book.active, "B")
    fill(book.create_sheet("Nuts"), "N", 5)
    fill(book.create_sheet("Terms"), "T", 3, ["Number", "Text", "Days"])
    old = book.create_sheet("Old")
    fill(old, "O")
    old.sheet_state = "hidden"
    book.save(tmp_path / "list.xlsx")
    return tmp_path / "list.xlsx"


def asked(path: Path) -> Question:
    with pytest.raises((ListDoubtful, MappingIncomplete)) as caught:
        understood(path)
    assert caught.value.question is not None
    return caught.value.question


def test_sheets_with_one_header_are_asked_about_and_each_answer_reads_what_it_says(alike: Path) -> None:
    question = asked(alike)
    assert question.code == "sheet"
    labels = [option.label for option in question.options]
    assert labels == ["all 2 sheets, one below the other", "sheet “Bolts” only", "sheet “Nuts” only"]
    everything, bolts, nuts = (option.patch["read"]["sheet"] for option in question.options)
    reading, rows = opened(alike, sheet_name=everything)
    assert [row[0] for row in rows if row[0] != "Code"] == [f"B-{n:03d}" for n in range(12)] + [
        f"N-{n:03d}" for n in range(5)
    ]
    assert "rows 14-19 are those of sheet “Nuts”" in " ".join(reading.description.notes)
    assert "Old (hidden)" in " ".join(reading.description.notes)
    assert [opened(alike, sheet_name=name)[0].description.sheet for name in (bolts, nuts)] == ["Bolts", "Nuts"]
    assert understood(alike, dict(question.options[0].patch)).header_row == 1


def test_a_number_format_states_the_currency_of_its_column(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, "A")
    for row in range(2, 14):
        book.active.cell(row, 3).number_format = "#,##0.00\\ [$€-407]"
    book.save(tmp_path / "list.xlsx")
    found = understood(tmp_path / "list.xlsx")
    assert found.currency == "EUR"
    assert "number format" in found.currency_reason


def test_a_number_format_that_contradicts_the_header_is_asked_about(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, "A", header=["Code", "Name", "Price EUR"])
    for row in range(2, 14):
        book.active.cell(row, 3).number_format = "[$USD]\\ #,##0.00"
    path = tmp_path / "list.xlsx"
    book.save(path)
    question = asked(path)
    assert (question.code, [option.patch for option in question.options]) == (
        "currency",
        [{"currency": "EUR"}, {"currency": "USD"}],
    )
    assert [understood(path, dict(option.patch)).currency for option in question.options] == ["EUR", "USD"]


def test_a_header_of_merged_cells_is_read_over_all_that_they_cover(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["Price list"])
    sheet.append(["Code", "Name", "Price", None])
    sheet.append([None, None, "net", "gross"])
    for number in range(12):
        sheet.append([f"A-{number:03d}", f"Thing {number}", 10.5 + number, 12.6 + number])
    for area in ("A1:D1", "A2:A3", "B2:B3", "C2:D2"):
        sheet.merge_cells(area)
    path = tmp_path / "list.xlsx"
    book.save(path)
    found = understood(path, {"mapping": {"price": "Price gross"}})
    assert (found.header_row, found.header_rows) == (3, 2)
    assert [column.header for column in found.columns if column.field == "price"] == ["Price gross"]
    assert {column.header for column in found.columns} == {"Code", "Name", "Price net", "Price gross"}


def test_an_old_workbook_shows_its_numbers_as_its_formats_do(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Tab")
    formats = ["0000-000", "0.0%", "#,##0.00 [$€-407]", "yyyy-mm-dd", "00000"]
    for row in range(3):
        for column, (value, form) in enumerate(zip((1234567, 0.125, 12.5, 45352, 42), formats, strict=True)):
            sheet.write(row, column, value, xlwt.easyxf(num_format_str=form))
    sheet.col(1).hidden = True
    sheet.row(2).hidden = True
    sheet.write_merge(5, 6, 0, 1, "merged")
    book.save(str(tmp_path / "list.xls"))
    reading, rows = opened(tmp_path / "list.xls")
    assert list(rows[0]) == ["1234-567", "12.5%", Decimal("12.5"), "2024-03-01", "00042"]
    assert reading.description.currencies == ((2, "€"),)
    assert reading.description.merged == ((6, 0, 7, 1),)
    notes = " ".join(reading.description.notes)
    assert all(part in notes for part in ("1 hidden rows", "1 hidden columns", "6 numbers with leading zeros", "€"))


NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
ODS = f"""<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{NAMES}office:1.0"
 xmlns:text="{NAMES}text:1.0" xmlns:table="{NAMES}table:1.0" xmlns:style="{NAMES}style:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"><office:automatic-styles>
 <style:style style:name="h"><style:table-properties table:display="false"/></style:style></office:automatic-styles>
 <office:body><office:spreadsheet><table:table table:name="Gone" table:style-name="h"/><table:table table:name="Prices">
 %s</table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(path: Path, rows: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS % rows)
    return path


def cell(kind: str, value: str, text: str = "", more: str = "") -> str:
    name = {"date": "date-value", "boolean": "boolean-value", "time": "time-value"}.get(kind, "value")
    attributes = f'office:value-type="{kind}" office:{name}="{value}" {more}'
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def test_an_open_document_keeps_its_types_repetitions_and_hidden_places(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "list.ods",
        '<table:table-column table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>'
        "<table:table-row>"
        + cell("float", "42", "00042")
        + cell("percentage", "0.125", "12.5%")
        + cell("currency", "12.5", "12,50 €", 'office:currency="EUR"')
        + cell("date", "2024-02-29T00:00:00", "29.02.24")
        + cell("boolean", "true", "WAHR")
        + '<table:table-cell office:value-type="string"><text:p>two<text:s text:c="3"/>lines</text:p>'
        "<text:p>here</text:p><office:annotation><text:p>a note</text:p></office:annotation></table:table-cell>"
        + cell("float", "0", "#DIV/0!", 'calcext:value-type="error"')
        + '<table:table-cell table:formula="of:=[.A1]*2"/>'
        + '</table:table-row><table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
        '<table:table-row table:number-rows-repeated="2" table:visibility="collapse">'
        '<table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>same</text:p>'
        '</table:table-cell></table:table-row><table:table-row table:number-rows-repeated="1048570">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>',
    )
    reading, rows = opened(path)
    assert list(rows[0]) == [
        "00042", "12.5%", Decimal("12.5"), "2024-02-29", True, "two   lines\nhere", "#DIV/0!", "#FORMULA!",
    ]  # fmt: skip
    assert [[value for value in row if value] for row in rows[1:]] == [[], [], [], ["same"] * 2, ["same"] * 2]
    assert reading.description.currencies == ((2, "EUR"),)
    notes = " ".join(reading.description.notes)
    assert all(part in notes for part in ("Gone (hidden)", "2 hidden rows", "1 hidden columns", "no result"))


@pytest.mark.parametrize(
    "rows",
    [
        '<table:table-row table:number-rows-repeated="1048576">%s</table:table-row>',
        (
            '<table:table-row table:number-rows-repeated="99999999"><table:table-cell/></table:table-row>'
            "<table:table-row>%s</table:table-row>"
        ),
    ],
)
def test_a_tag_that_repeats_itself_billions_of_times_is_refused(tmp_path: Path, rows: str) -> None:
    many = cell("float", "1", "1", 'table:number-columns-repeated="16384"')
    with pytest.raises(SourceUnreadable, match="repeats its cells"):
        opened(ods(tmp_path / "list.ods", rows % many))


def test_a_workbook_is_read_for_what_it_is_and_not_for_its_name(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, "A")
    book.save(tmp_path / "list.xlsx")
    (tmp_path / "list.xlsx").rename(tmp_path / "list.xls")
    assert opened(tmp_path / "list.xls")[0].description.format == "xlsx"
    old = xlwt.Workbook()
    old.add_sheet("Tab").write(0, 0, "x")
    old.save(str(tmp_path / "old.xlsx"))
    assert opened(tmp_path / "old.xlsx")[0].description.format == "xls"
    (tmp_path / "text.xlsx").write_bytes(b"code;name;price\nA;B;1\n")
    reading, rows = opened(tmp_path / "text.xlsx")
    assert (reading.description.format, list(rows[1])) == ("csv", ["A", "B", "1"])
    (tmp_path / "page.xls").write_bytes(b"<html><table><tr><td>1</td></tr></table></html>")
    with pytest.raises(SourceUnreadable, match="parser_type html"):
        opened(tmp_path / "page.xls")


def test_a_macro_workbook_is_read_and_its_macros_are_not(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active, "A")
    book.save(tmp_path / "list.xlsx")
    with zipfile.ZipFile(tmp_path / "list.xlsx", "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"\0" * 2_000)
    assert len(opened(tmp_path / "list.xlsx")[1]) == 13


def test_a_workbook_that_unpacks_to_many_times_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 120_000_000)
    with pytest.raises(SourceRefused, match="times its size"):
        opened(path)


@pytest.mark.parametrize("rows", [5, 40, 2_500])
def test_a_second_table_with_other_columns_is_asked_about_however_far_down_it_begins(tmp_path: Path, rows: int) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    fill(sheet, "A", rows)
    sheet.append([])
    sheet.append(["Code", "Price", "Name"])
    for number in range(20):
        sheet.append([f"B-{number:03d}", 5 + number, f"Part {number}"])
    book.save(tmp_path / "list.xlsx")
    question = asked(tmp_path / "list.xlsx")
    assert question.code == "layout"
    assert f"{rows + 3:,}" in question.sentence
    for option in question.options:
        assert understood(tmp_path / "list.xlsx", dict(option.patch)).header_row == rows + 3


def test_a_header_that_is_repeated_in_place_begins_no_second_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    for letter in "AB":
        fill(book.active, letter, 40)
    book.save(tmp_path / "list.xlsx")
    assert understood(tmp_path / "list.xlsx").header_row == 1
