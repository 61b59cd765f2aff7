"""Columns of fixed width are found where they are proven, asked about where they are not, and never cut a value."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contracts.parser import Source
from contracts.rows import BrokenRow, Row
from parsers.delimited import open_delimited
from parsers.reading import RecordReading

NAMES = ["Bolt, hexagonal", "Nut", 'Washer 3/4"', "Screw for wood", "Nail", "Hinge", "Door handle; brass", "Chain"]
PRICES = ["0.15", "12.50", "3.00", "104.99", "1.20", "7.75", "89.00", "2.10"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


def opened(path: Path, **options: object) -> RecordReading:
    return open_delimited(Source(path, "0" * 64, path.stat().st_size, path.name), **options)


def rows(reading: RecordReading) -> list[Row]:
    async def read() -> list[Row]:
        return [row async for chunk in reading.chunks() for row in chunk.rows()]

    return asyncio.run(read())


def table(prices: list[str] = PRICES) -> list[str]:
    head = f"{'Code':<8}{'Description':<24}{'Unit price':>10}"
    return [head, *(f"A{n:<7}{name:<24}{price:>10}" for n, (name, price) in enumerate(zip(NAMES, prices, strict=True)))]


EXPECTED = [[f"A{n}", name, price] for n, (name, price) in enumerate(zip(NAMES, PRICES, strict=True))]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_columns_are_found_by_blanks_that_stand_below_each_other(source: Path, ending: str) -> None:
    source.write_text(ending.join(table()) + ending, newline="")
    reading = opened(source)
    assert [list(row) for row in rows(reading)][1:] == EXPECTED
    assert reading.description.delimiter is None
    assert any("fixed width" in note for note in reading.description.notes)


def test_titles_and_notes_are_one_cell(source: Path) -> None:
    lines = ["Price list of Acme Fasteners Ltd, valid from 2026-11-01 until further notice", "", *table()]
    lines += ["", "All prices in euro without tax, ex works, subject to change without notice."]
    source.write_text("\n".join(lines))
    found = rows(opened(source))
    assert [list(row) for row in found[3:11]] == EXPECTED
    assert [cell for cell in found[0] if cell] == [lines[0]]
    assert [cell for cell in found[-1] if cell] == [lines[-1]]


def test_a_line_that_is_drawn_below_the_header_is_no_text_across_columns(source: Path) -> None:
    head, *lines = table([price.replace(".", ",") for price in PRICES])
    source.write_text("\n".join(["Price list of October", "", head, "-" * 42, *lines]) + "\n")
    found = rows(opened(source))
    assert [list(row) for row in found][-len(NAMES) :] == [[*row[:2], row[2].replace(".", ",")] for row in EXPECTED]
    assert ["-" * 42, "", ""] in [list(row) for row in found]


def test_a_number_that_grows_beyond_its_column_is_read_whole_or_not_at_all(source: Path) -> None:
    lines = table() * 40
    for price, whole in (("1234567.00", True), ("12345678901234567.00", False)):
        last = f"A9      {'Machine':<34}"
        source.write_text("\n".join([*lines, last[: 42 - len(price)] + price]))
        found = rows(opened(source))[-1]
        assert found[-1] == price if whole else isinstance(found, BrokenRow)
    source.write_text("\n".join([*lines, f"A9      {'A name that is longer than its column':<24}{'5.00':>10}"]))
    found = rows(opened(source))[-1]
    assert isinstance(found, BrokenRow)
    assert found.code == "row_ragged"


def test_wide_characters_take_two_places(source: Path) -> None:
    names = ["六角ボルト", "ナット", "ばね座金", "釘 建築用", "チェーン", "ゴムパッキン"]
    lines = [
        f"B{n}  {name}{' ' * (20 - 2 * len(name) + name.count(' '))}{n * 37 + 5:>6}" for n, name in enumerate(names)
    ]
    for encoding in ("cp932", "utf-8"):
        source.write_bytes("\n".join(lines).encode(encoding))
        assert [list(row) for row in rows(opened(source))] == [
            [f"B{n}", name, str(n * 37 + 5)] for n, name in enumerate(names)
        ]


def test_a_code_with_one_blank_behind_it_is_asked_about(source: Path) -> None:
    lines = [f"{n}-{n + 100} {name:<24}{price:>10}" for n, (name, price) in enumerate(zip(NAMES, PRICES, strict=True))]
    source.write_text("\n".join(lines))
    question = opened(source).description.question
    assert question is not None
    assert question.code == "layout"
    starts = question.options[0].patch["read"]["fixed_width"]
    answered = opened(source, fixed_width=starts)
    assert answered.description.question is None
    assert [list(row) for row in rows(answered)] == [
        [f"{n}-{n + 100}", name, price] for n, (name, price) in enumerate(zip(NAMES, PRICES, strict=True))
    ]


def test_stated_columns_may_touch(source: Path) -> None:
    source.write_text("".join(f"{n:04d}{'X' * 6}{n:06d}\n" for n in range(20)))
    assert [list(row) for row in rows(opened(source, fixed_width=[0, 4, 10]))][:2] == [
        ["0000", "XXXXXX", "000000"],
        ["0001", "XXXXXX", "000001"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Dear customer,\nfrom next month on our  prices change.\nPlease ask us for  a quotation.\nKind regards\nAcme\n"
        * 3,
        "one\ntwo\nthree\nfour\nfive\nsix\n",
        "Bolt  0.15\nNut  2.00\n",
    ],
)
def test_prose_and_short_lists_have_no_columns(source: Path, text: str) -> None:
    source.write_text(text)
    assert not any("fixed width" in note for note in opened(source).description.notes)


def test_separated_lists_are_never_cut_by_places(source: Path) -> None:
    for delimiter in ",;\t|":
        source.write_text("".join(f"A{n:03d}{delimiter}Bolt  M8   {delimiter}{n:>8}.00\n" for n in range(50)))
        assert opened(source).description.delimiter == delimiter
