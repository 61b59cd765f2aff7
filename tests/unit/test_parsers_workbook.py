"""The readers of workbooks, as the child runs them, agree with each other and pick the right sheet."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from contracts.rows import Cell
from parsers.workbook import read_sheet
from parsers.workbook_formats import NO_RESULT
from parsers.workbook_marks import Area, Marks, letters
from parsers.workbook_tabs import SheetUnreadable, choose, choose_all
from parsers.xlsx_package import opened
from parsers.xlsx_rows import column_of
from parsers.xlsx_scan import scan_sheet

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


@pytest.mark.parametrize("engine", ["xlsx", "calamine", "pandas"])
def test_every_engine_reads_the_same_cells_of_an_xlsx(xlsx: Path, engine: str) -> None:
    assert cells(xlsx, "xlsx", engine) == CELLS


@pytest.mark.parametrize("engine", ["calamine", "xlrd", "pandas"])
def test_every_engine_reads_the_same_cells_of_an_xls(xls: Path, engine: str) -> None:
    assert cells(xls, "xls", engine) == CELLS


def marks_of(path: Path) -> Marks:
    with opened(path) as package:
        return scan_sheet(package, package.tabs[0].part)


def test_an_error_cell_makes_the_careful_reader_read_the_same_rest(xlsx: Path) -> None:
    book = openpyxl.load_workbook(xlsx)
    sheet = book.active
    assert sheet is not None
    sheet["D4"] = "#REF!"
    sheet["A9000"].number_format = "0"  # formatting makes rows that hold nothing
    sheet.sheet_format.outlineLevelRow = 1
    sheet.row_dimensions[2].hidden = True
    book.save(xlsx)
    found = marks_of(xlsx)
    assert (found.errors, found.careful, found.hidden_rows, found.width) == (True, True, 1, 4)
    expected = [list(row) for row in CELLS]
    expected[3][3] = "#REF!"
    assert cells(xlsx, "xlsx", "xlsx") == expected


HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STYLES = b"""<styleSheet %s><numFmts count="6"><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165"
formatCode="0000\\-000"/><numFmt numFmtId="166" formatCode="#,##0.00\\ [$&#8364;-407]"/><numFmt numFmtId="167"
formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="168" formatCode="[$USD] #,##0.00"/><numFmt numFmtId="169"
formatCode="[h]:mm:ss"/></numFmts><cellXfs count="8"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf
numFmtId="166"/><xf numFmtId="167"/><xf numFmtId="168"/><xf numFmtId="169"/><xf numFmtId="10"/></cellXfs></styleSheet>
"""
STYLE = {"plain": 0, "code": 1, "dashed": 2, "euro": 3, "date": 4, "dollar": 5, "elapsed": 6, "percent": 7}


def written(path: Path, rows: bytes, *, before: bytes = b"", after: bytes = b"", texts: bytes = b"", book: bytes = b"",
            prefix: bytes = b"") -> Path:  # fmt: skip
    """An .xlsx of one sheet as bytes say, with the styles of STYLE."""
    kinds = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = b"http://schemas.openxmlformats.org/package/2006/relationships"
    main = MAIN if not prefix else MAIN.replace(b"xmlns", b"xmlns:" + prefix[:-1])

    def relations(*parts: tuple[bytes, bytes]) -> bytes:
        each = b"".join(
            b'<Relationship Id="r%d" Type="%s/%s" Target="%s"/>' % (place, kinds, kind, target)
            for place, (kind, target) in enumerate(parts)
        )
        return HEAD + b'<Relationships xmlns="%s">%s</Relationships>' % (package, each)

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", HEAD + b"<Types/>")
        archive.writestr("_rels/.rels", relations((b"officeDocument", b"xl/workbook.xml")))
        archive.writestr(
            "xl/workbook.xml",
            HEAD
            + b'<workbook %s xmlns:r="%s">%s<sheets><sheet name="S" sheetId="1" r:id="r0"/></sheets></workbook>'
            % (MAIN, kinds, book),
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            relations((b"worksheet", b"worksheets/sheet1.xml"), (b"styles", b"styles.xml"),
                      (b"sharedStrings", b"sharedStrings.xml")),
        )  # fmt: skip
        archive.writestr("xl/styles.xml", HEAD + STYLES % MAIN)
        archive.writestr("xl/sharedStrings.xml", HEAD + b"<sst %s>%s</sst>" % (MAIN, texts))
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            HEAD
            + b"<%sworksheet %s>%s<%ssheetData>%s</%ssheetData>%s</%sworksheet>"
            % (prefix, main, before, prefix, rows, prefix, after, prefix),
        )
    return path


def number(place: str, value: str, style: str = "plain") -> bytes:
    return f'<c r="{place}" s="{STYLE[style]}"><v>{value}</v></c>'.encode()


def row(line: int, *cells: bytes) -> bytes:
    return b'<row r="%d">%s</row>' % (line, b"".join(cells))


def read(path: Path) -> tuple[list[list[Cell]], list[str], tuple[tuple[int, str], ...]]:
    sheet = read_sheet(path, "xlsx", None, "xlsx")
    rows = list(sheet.rows)
    return rows, sheet.notes, sheet.currencies


def test_numbers_are_read_as_their_format_shows_them(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.xlsx",
        row(1, number("A1", "42", "code"), number("B1", "1234567", "dashed"), number("C1", "0.125", "percent"))
        + row(2, number("A2", "45352", "date"), number("B2", "0.5", "date"), number("C2", "1.25", "elapsed"))
        + row(3, number("A3", "1912059.5000000002"), number("B3", "1E+16"), number("C3", "4.00638E12", "code")),
    )
    rows, notes, _ = read(path)
    assert rows == [
        ["00042", "1234-567", "12.5%"],
        ["2024-03-01", "12:00:00", "30:00:00"],
        [Decimal("1912059.5"), "1.00000000000000E+16", "4006380000000"],
    ]
    assert "3 numbers with leading zeros" in notes[0]
    assert "1 numbers shown as percent" in notes[1]


def test_dates_count_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", row(1, number("A1", "1", "date"), b'<c r="B1" t="e"><v>#N/A</v></c>'),
                   book=b'<workbookPr date1904="1"/>')  # fmt: skip
    assert read(path)[0] == [["1904-01-02", "#N/A"]]


def test_a_column_shown_in_one_currency_says_so_and_keeps_its_numbers(tmp_path: Path) -> None:
    rows = b"".join(row(line, number(f"A{line}", "1"), number(f"B{line}", "12.5", "euro")) for line in range(1, 5))
    found, notes, currencies = read(written(tmp_path / "a.xlsx", rows + row(5, number("B5", "7"))))
    assert found[0] == [Decimal(1), Decimal("12.5")]
    assert currencies == ((1, "€"),)
    assert notes == ["numbers are shown with “€” in column B"]


def test_a_column_shown_in_several_currencies_states_each_with_its_number(tmp_path: Path) -> None:
    rows = row(1, number("A1", "1.5", "euro")) + row(2, number("A2", "1.234", "dollar")) + row(3, number("A3", "7"))
    found, notes, currencies = read(written(tmp_path / "a.xlsx", rows))
    # a fourth decimal, so that nobody takes three for thousands
    assert found == [["1.5 €"], ["1.2340 USD"], [Decimal(7)]]
    assert currencies == ()
    assert "different currencies in column A" in notes[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (b'<c r="A1"><f>B1*2</f></c>', NO_RESULT),
        (b'<c r="A1"><f>B1*2</f><v></v></c>', NO_RESULT),
        (b'<c r="A1"><f>B1*2</f><v/></c>', NO_RESULT),
        (b'<c r="A1"><f t="shared" si="0"/></c>', NO_RESULT),
        (b'<c r="A1" t="str"><f>""</f><v></v></c>', None),
        (b'<c r="A1"><f>B1*2</f><v>8</v></c>', Decimal(8)),
        (b'<c r="A1" t="str"><f>B1</f><v>x</v></c>', "x"),
        (b'<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        (b'<c r="A1" t="b"><v>1</v></c>', True),
        (b'<c r="A1" t="d"><v>2024-02-29T00:00:00</v></c>', "2024-02-29"),
        (
            b'<c r="A1" t="inlineStr"><is><r><t>a </t></r><r><t>b</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
            "a b",
        ),
        (b'<c r="A1" t="s"><v>0</v></c>', "  two runs "),
        (b'<c r="A1" t="s"><v>1</v></c>', "\u5024"),
        (b'<c r="A1" t="inlineStr"><is><t>a_x000D_b</t></is></c>', "a\rb"),
        (b'<c r="A1" t="inlineStr"><is><t><![CDATA[<c t="e">]]></t></is></c>', '<c t="e">'),
        (b'<c s="1" t="n" r="A1"><v>7</v></c>', "00007"),
        (b'<c s="1"><v>7</v></c>', "00007"),
        (b'<c r="A1"><v>abc</v></c>', "abc"),
        (b'<c r="A1" s="4"><v>1e300</v></c>', "1.00000000000000E+300"),
        (b'<c r="A1" s="7"><v>NaN</v></c>', "nan"),
    ],
)
def test_every_kind_of_cell_has_its_meaning(tmp_path: Path, cell: bytes, expected: Cell) -> None:
    texts = (
        '<si><r><t xml:space="preserve">  two </t></r><r><rPr/><t xml:space="preserve">runs </t></r></si>'
        '<si><t>\u5024</t><rPh sb="0" eb="1"><t>\u30a2</t></rPh></si>'
    ).encode()
    other = b'<c r="B1" t="e"><v>#REF!</v></c>' if b"r=" in cell else b'<c t="e"><v>#REF!</v></c>'
    path = written(tmp_path / "a.xlsx", row(1, cell, other), texts=texts)
    assert read(path)[0] == [[expected, "#REF!"]]


def test_the_careful_reader_and_the_fast_one_agree_on_a_sheet_with_a_prefix(tmp_path: Path) -> None:
    cells = b'<x:row r="2"><x:c r="B2"><x:v>1.5</x:v></x:c><x:c r="C2" t="str"><x:v>a</x:v></x:c>%s</x:row>'
    plain = read(written(tmp_path / "a.xlsx", cells % b"", prefix=b"x:"))[0]
    careful = read(written(tmp_path / "b.xlsx", cells % b'<x:c r="D2" t="e"><x:v>#N/A</x:v></x:c>', prefix=b"x:"))[0]
    assert [line[:3] for line in plain] == [[None] * 3, [None, Decimal("1.5"), "a"]] or plain[0] == []
    assert careful == [[], [None, Decimal("1.5"), "a", "#N/A"]]


def test_hidden_and_merged_places_are_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.xlsx",
        b'<row r="1" hidden="1"><c r="A1"><v>1</v></c><c r="B1"><v>1</v></c></row><row r="2" hidden="1"/>',
        before=b'<cols><col min="2" max="16384" hidden="1"/></cols>',
        after=b'<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="A900:A901"/></mergeCells>',
    )
    sheet = read_sheet(path, "xlsx", None, "xlsx")
    assert sheet.notes == [
        "1 hidden rows were read",
        "1 hidden columns were read",
        "2 merged areas: the value counts at the upper left",
    ]
    assert sheet.merged == (Area(1, 0, 1, 1),)


def merged_list(path: Path, rows: list[list[Any]], *areas: str) -> tuple[list[list[Cell]], list[str]]:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in rows:
        sheet.append(line)
    for area in areas:
        sheet.merge_cells(area)
    book.save(path)
    read = read_sheet(path, "xlsx", None, "xlsx")
    return list(read.rows), read.notes


def test_a_text_merged_over_several_items_stands_beside_each(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Style", "Size", "Price"],
        ["Kaya", "S", 12.5],
        [None, "M", 13],
        [None, "L", 14],
        ["Nilo", "S", 9],
    ]
    found, notes = merged_list(tmp_path / "a.xlsx", rows, "A2:A4")
    assert [row[0] for row in found] == ["Style", "Kaya", "Kaya", "Kaya", "Nilo"]
    assert "2 cells below the value of their merged area were read with it" in notes


def test_a_merged_price_stays_where_it_stands_because_it_may_be_that_of_the_set(tmp_path: Path) -> None:
    for price in (12.5, "12,50 €", "EUR 12.50"):
        rows: list[list[Any]] = [["Code", "Name", "Price"], ["A-1", "Volume 1", price], ["A-2", "Volume 2", None]]
        found, _ = merged_list(tmp_path / "a.xlsx", rows, "C2:C3")
        assert (found[2] + [None] * 3)[2] is None


def test_the_second_line_of_a_header_or_of_an_item_is_not_filled(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Code", "Price 2026", None],
        [None, "net", "gross"],
        ["A-1", 12.5, 15],
        [None, "with a longer hose", None],
    ]
    found, notes = merged_list(tmp_path / "a.xlsx", rows, "A1:A2", "B1:C1", "A3:A4")
    assert [row[0] for row in found] == ["Code", None, "A-1", None]
    assert not any("were read with it" in note for note in notes)


def test_a_sheet_whose_size_is_a_lie_is_read_as_it_is(tmp_path: Path) -> None:
    for claimed in (b"A1", b"A1:XFD1048576", b"nonsense"):
        path = written(tmp_path / "a.xlsx", row(1, number("A1", "1")) + row(3, number("C3", "2")),
                       before=b'<dimension ref="%s"/>' % claimed)  # fmt: skip
        assert [[value for value in line if value is not None] for line in read(path)[0]] == [[1], [], [2]]


def test_a_blank_tail_holds_no_rows_and_a_far_cell_costs_no_memory(tmp_path: Path) -> None:
    tail = b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (line, line) for line in range(2, 2_000))
    assert len(read(written(tmp_path / "a.xlsx", row(1, number("A1", "1")) + tail))[0]) == 1
    far = read(written(tmp_path / "b.xlsx", row(1, number("A1", "1")) + row(1_048_576, number("XFD1048576", "2"))))[0]
    assert len(far) == 1_048_576
    assert (far[-1][0], far[-1][16_383], len(far[-1])) == (None, 2, 16_384)


@pytest.mark.parametrize("line", [0, 1_048_577, 9_999_999_999])
def test_a_row_where_no_row_can_be_is_not_read_as_another_one(tmp_path: Path, line: int) -> None:
    with pytest.raises(Exception, match=f"row {line}"):
        list(read_sheet(written(tmp_path / "a.xlsx", row(line, b'<c r="A1" t="e"><v>#N/A</v></c>')),
                        "xlsx", None, "xlsx").rows)  # fmt: skip


def test_columns_have_letters() -> None:
    for place in (0, 25, 26, 701, 702, 16_383):
        assert column_of(letters(place)) == place
    assert letters(16_383) == "XFD"


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
        ([("Note", True), ("Data", False)], None, {"Data"}, "Data"),
    ],
)
def test_the_sheet_is_chosen(tabs: list[tuple[str, bool]], wanted: str | None, tables: set[str], chosen: str) -> None:
    assert choose(tabs, wanted, tables.__contains__) == chosen


LIST: list[list[Cell]] = [["Code", "Name", "Price"], ["A1", "Bolt", Decimal("1.5")], ["A2", "Nut", Decimal(2)]]


@pytest.mark.parametrize(
    ("first", "chosen"),
    [
        ([["Our prices", None], ["Phone", Decimal(30123)], ["Valid", "01.10.2026"], ["Terms", "30 days"]], "Second"),
        ([["Name", "Price"], *([f"Bolt {n}", Decimal(n)] for n in range(5))], "First"),
        (LIST, "First"),
    ],
)
def test_a_sheet_of_notes_gives_way_to_one_with_a_header_and_numbers(first: list[list[Cell]], chosen: str) -> None:
    sheets = {"First": first, "Second": [["No", *LIST[0]], *([Decimal(1), *row] for row in LIST[1:])]}
    tabs = [(name, True) for name in sheets]
    names, question = choose_all(tabs, None, lambda tab: iter(sheets[tab]), lambda tab: len(sheets[tab]))
    assert (names, question) == ([chosen], None)


def test_a_sheet_that_cannot_be_chosen_lists_what_there_is() -> None:
    with pytest.raises(SheetUnreadable, match="Cover, Old, Prices, More"):
        choose(TABS, "Nope", lambda _: True)
    with pytest.raises(SheetUnreadable, match="Nope"):
        choose([("nope", True), ("NOPE", True)], "Nope", lambda _: True)
    with pytest.raises(SheetUnreadable, match="no sheets"):
        choose([], None, lambda _: True)


def test_other_visible_sheets_with_tables_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Stock"  # type: ignore[union-attr]
    for name, head, state in (
        ("Price list", "Price", "visible"), ("Old", "Price", "hidden"), ("Info", "", "visible"), ("Stock", "Qty", ""),
    ):  # fmt: skip
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        sheet.sheet_state = state or "visible"
        rows: list[list[Any]] = [["Code", "Name", head], ["A1", "Pipe", 5], ["A2", "Lamp", 6]]
        for line in rows if head else [["Call us"]]:
            sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    assert read_sheet(tmp_path / "a.xlsx", "xlsx", None, "xlsx").others == ("Price list",)
    assert read_sheet(tmp_path / "a.xlsx", "xlsx", "Stock", "xlsx").others == ()
