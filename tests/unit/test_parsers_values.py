"""Numbers, JSON and containers are read exactly or refused with a reason."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import SourceRefused, SourceUnreadable
from contracts.rows import BrokenRow, Cell
from parsers.container import MAX_ENTRIES, MAX_SHARED_STRINGS, check_container
from parsers.cutting import MAX_RECORD
from parsers.json_text import read_object
from parsers.row_lines import decode_rows, encode_row
from parsers.sheets_cells import merged
from parsers.values import cell

CELLS = st.one_of(
    st.none(), st.booleans(), st.text(max_size=20), st.decimals(allow_nan=False, allow_infinity=False, places=6)
)


@given(st.lists(CELLS, max_size=12))
def test_a_row_is_the_same_after_it_was_kept_in_a_file(cells: list[Cell]) -> None:
    line = encode_row(cells)
    assert line.count(b"\n") == 1
    (found,) = decode_rows([line.removesuffix(b"\n")])
    assert list(found) == cells
    assert [type(one) for one in found] == [type(one) for one in cells]


@pytest.mark.parametrize(
    ("cells", "code"), [(["x" * MAX_RECORD], "row_too_large"), (["a", "\ud800"], "row_unreadable")]
)
def test_a_row_that_cannot_be_kept_is_kept_as_broken(cells: list[Cell], code: str) -> None:
    line = encode_row(cells)
    assert len(line) < MAX_RECORD
    (found,) = decode_rows([line])
    assert isinstance(found, BrokenRow)
    assert found.code == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12.0, Decimal(12)),
        (1912059.5000000002, Decimal("1912059.5")),
        (0.1 + 0.2, Decimal("0.3")),
        (-0.0, Decimal(0)),
        (1e-7, Decimal("0.0000001")),
        (123456789012345.0, Decimal(123456789012345)),
        (1.2345678901234568e18, "1.23456789012346E+18"),
        (10**16, "1.00000000000000E+16"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, True),
        ("", None),
        (None, None),
        ("00123", "00123"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29), "2024-02-29"),  # noqa: DTZ001 (spreadsheets know no zones)
        (datetime(2024, 2, 29, 1, 2, 3), "2024-02-29T01:02:03"),  # noqa: DTZ001
        (time(1, 2), "01:02:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_a_spreadsheet_value_has_one_meaning(value: Any, expected: Cell) -> None:
    found = cell(value)
    assert found == expected
    assert type(found) is type(expected)
    assert not isinstance(found, Decimal) or "E+" not in str(found)


@pytest.mark.parametrize(
    ("shown", "stored", "expected"),
    [
        ("1.234,50 €", 1234.5, Decimal("1234.5")),
        ("$1,234.57", 1234.567, Decimal("1234.567")),
        ("1.234", 1234, Decimal(1234)),
        ("1.234", 1.234, Decimal("1.234")),
        ("00123", 123, "00123"),
        ("0", 0, Decimal(0)),
        ("10%", 0.1, "10%"),
        ("1.23E+12", 1234567890123, Decimal(1234567890123)),
        ("5.2K", 5200, "5.2K"),
        ("12.50", 13.75, "12.50"),
        ("12 m2", 12, "12 m2"),
        ("2020-01-01", "2020-01-01", "2020-01-01"),
        ("TRUE", True, True),
        ("", 5, None),
        ("#N/A", "#N/A (text)", "#N/A"),
        ("x", None, "x"),
    ],
)
def test_the_shown_text_and_the_stored_number_are_reconciled(shown: str, stored: Any, expected: Cell) -> None:
    found = merged(shown, stored)
    assert found == expected
    assert type(found) is type(expected)


def test_json_numbers_are_exact_and_nested_values_are_text() -> None:
    found = read_object(
        '{"a": 1.10, "b": 12345678901234567890, "c": [1.50, {"d": null}], "e": true, "f": 2e2, "g": "ä"}'
    )
    assert found == {
        "a": Decimal("1.10"),
        "b": Decimal(12345678901234567890),
        "c": '[1.50,{"d":null}]',
        "e": True,
        "f": Decimal(200),
        "g": "ä",
    }
    assert str(found["f"]) == "200"


@pytest.mark.parametrize(
    "line",
    ["[1]", "1", "", "{", '{"a":NaN}', '{"a":-Infinity}', '{"a":1e999999}', '{"a":1E-999999}', '{"a":0e999999}',
     '{"a":' + "9" * 5_000 + "}", '{"a":1,"a":2}', '{"a":' + "[" * 100_000, '{"a":' + "[" * 6 + "1" + "]" * 6 + "}",
     "{'a':1}", '{"a":1}x'],
)  # fmt: skip
def test_a_line_that_is_no_plain_object_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_object(line)


def archive(path: Path, parts: dict[str, bytes], *, twice: str | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
        if twice:
            file.writestr(twice.upper(), b"")
    return path


BOOK = {"xl/workbook.xml": b"<workbook/>"}


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        (BOOK, "xlsx"),
        ({"xl/workbook.bin": b""}, "xlsb"),
        ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"}, "ods"),
    ],
)
def test_the_kind_of_a_workbook_is_told_by_its_parts(tmp_path: Path, parts: dict[str, bytes], kind: str) -> None:
    assert check_container(archive(tmp_path / "a", parts), "a") == kind


@pytest.mark.parametrize(
    "parts",
    [
        BOOK | {f"p{n}": b"" for n in range(MAX_ENTRIES)},
        BOOK | {"xl/sharedStrings.xml": b" " * (MAX_SHARED_STRINGS + 1)},
        BOOK | {"xl/worksheets/sheet1.xml": b"0" * 60_000_000},
        BOOK | {"xl/worksheets/sheet1.xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'},
        BOOK | {"xl/worksheets/sheet1.xml": '<?xml version="1.0"?><!DOCTYPE a>'.encode("utf-16")},
    ],
    ids=["many parts", "shared strings", "ratio", "entities", "wide doctype"],
)
def test_a_container_that_is_not_safe_is_refused(tmp_path: Path, parts: dict[str, bytes]) -> None:
    with pytest.raises(SourceRefused):
        check_container(archive(tmp_path / "a", parts), "a")


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="one name"):
        check_container(archive(tmp_path / "a", BOOK, twice="xl/workbook.xml"), "a")


def test_an_archive_without_a_workbook_is_no_workbook(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="without a workbook"):
        check_container(archive(tmp_path / "a", {"word/document.xml": b"<x/>"}), "a")


def test_a_cut_off_archive_is_unreadable(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", BOOK | {"x.bin": bytes(range(256)) * 100})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SourceUnreadable):
        check_container(path, "a")
