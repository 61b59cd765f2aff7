"""Real price lists give exactly the records, cells, encodings and codes that EXPECTED.json says they have."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

import parsers
from contracts.errors import PricemillError
from contracts.parser import Reading, Source
from contracts.rows import BrokenRow, Row
from contracts.task import ParseTask
from parsers.resources import Resources

DATA = Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
EXPECTED = json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8")) if DATA.exists() else {}
LISTS: dict[str, Any] = EXPECTED.get("price_lists", {})
T = TypeVar("T")
WORKBOOKS, TEXTS = {".xls", ".xlsx", ".ods", ".xlsb"}, {".csv", ".tsv", ".txt"}

pytestmark = pytest.mark.skipif(not LISTS, reason="the sample data are not beside the checkout")


async def opened(parser_type: str, config: dict[str, Any], spool: Path) -> tuple[Source, Reading]:
    parser = parsers.get(parser_type, Resources(source_roots=(DATA,)))
    task = ParseTask(parser_type=parser_type, supplier_name="ACME", source_config=config)
    source = await parser.fetch(task, spool)
    return source, await parser.open(source, parser.config.model_validate(config))


async def all_rows(reading: Reading) -> dict[int, Row]:
    return {
        number: row
        async for chunk in reading.chunks(size=5_000)
        for number, row in zip(chunk.row_numbers(), chunk.rows(), strict=True)
    }


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 120))


def key_stands_in(row: Row, key: str) -> bool:
    """Each part of the key is a cell; EXPECTED.json joins the columns of a key with a bar."""
    cells = {" ".join(str(cell).split()) for cell in row if cell is not None}
    return all(" ".join(part.split()) in cells for part in key.split("|") if part)


def test_the_table_of_lists_is_not_empty() -> None:
    kinds = Counter(name.split("/")[0] for name in LISTS)
    assert kinds["csv"] > 20
    assert kinds["xlsx"] > 20


@pytest.mark.parametrize("name", [name for name in LISTS if name.startswith("csv/")])
def test_a_text_list_is_read_whole(name: str, tmp_path: Path) -> None:
    form = LISTS[name]["format"]
    source, reading = run(opened("csv", {"file_path": name}, tmp_path))
    rows = run(all_rows(reading))
    assert list(rows) == list(range(1, form["records"] + 1))
    assert Counter(map(len, rows.values())) == {int(width): count for width, count in form["field_counts"].items()}
    assert not any(isinstance(row, BrokenRow) for row in rows.values())
    description = reading.description
    assert description.delimiter == {"TAB": "\t"}.get(form["delimiter"], form["delimiter"])
    assert description.encoding is not None
    data = source.path.read_bytes()
    theirs, ours = data.decode(form["encoding"]), data.decode(description.encoding)
    if theirs != ours:
        # ISO-8859-1 has no printable characters at 80-9F; where a file uses them, Windows-1252 was meant
        other = {theirs[place] for place in range(len(theirs)) if theirs[place] != ours[place]}
        assert all("\x80" <= character <= "\x9f" for character in other)
    assert_spot_checks(name, rows)


@pytest.mark.parametrize("name", [name for name in LISTS if name.startswith("xlsx/")])
def test_a_workbook_is_read_whole(name: str, tmp_path: Path) -> None:
    form = LISTS[name]["format"]
    sheet = {"sheet_name": form["sheet"]} if isinstance(form["sheet"], str) else {}
    _, reading = run(opened("excel", {"file_path": name, **sheet}, tmp_path))
    rows = run(all_rows(reading))
    assert list(rows) == list(range(1, form["rows"] + 1))
    assert reading.description.format == form["kind"]
    assert_spot_checks(name, rows)


def assert_spot_checks(name: str, rows: dict[int, Row]) -> None:
    for check in LISTS[name].get("spot_checks") or []:
        row = rows[check["record"]]
        if check["key"]:
            assert key_stands_in(row, check["key"]), (check, row)


def test_goods_in_hidden_rows_are_read_and_said_so(tmp_path: Path) -> None:
    _, reading = run(opened("excel", {"file_path": "xlsx/cooler-by/price-cooler.by.xls"}, tmp_path))
    assert any("hidden rows" in note for note in reading.description.notes)


def test_two_formats_of_one_list_give_the_same_rows(tmp_path: Path) -> None:
    _, old = run(opened("excel", {"file_path": "xlsx/transformers/pricelist.xls"}, tmp_path / "a"))
    _, new = run(opened("excel", {"file_path": "xlsx/transformers/pricelist.xlsx"}, tmp_path / "b"))
    assert run(all_rows(old)) == run(all_rows(new))


def test_error_cells_are_their_text(tmp_path: Path) -> None:
    _, reading = run(opened("excel", {"file_path": "xlsx/transformers/pricelist.xlsx"}, tmp_path))
    cells = {cell for row in run(all_rows(reading)).values() for cell in row}
    assert {"#VALUE!", "#REF!", "#N/A", "#DIV/0!", "#NAME?"} & cells


def test_pandas_sees_the_same_cells_where_both_read_them(tmp_path: Path) -> None:
    import pandas as pd

    from parsers.values import cell

    name = "xlsx/hardware/Item List.xlsx"
    frame = pd.read_excel(DATA / name, header=None, dtype=object, na_filter=False, engine="openpyxl")
    theirs = [[cell(value) for value in values] for values in frame.itertuples(index=False, name=None)]
    _, reading = run(opened("excel", {"file_path": name}, tmp_path))
    assert [list(row) for row in run(all_rows(reading)).values()] == theirs


def test_a_text_file_called_xlsx_is_read_as_text_with_a_note(tmp_path: Path) -> None:
    (path,) = (DATA / "torture" / "wrong-extension").glob("*.xlsx")
    _, reading = run(opened("excel", {"file_path": str(path.relative_to(DATA))}, tmp_path))
    assert reading.description.format == "csv"
    assert any("whatever its name" in note for note in reading.description.notes)
    widths = Counter(map(len, run(all_rows(reading)).values()))
    assert len(widths) == 1


def test_what_the_usual_reader_cannot_read_another_one_reads(tmp_path: Path) -> None:
    _, reading = run(opened("excel", {"file_path": "torture/poi/xlsx-corrupted.xlsx"}, tmp_path))
    assert any("another one did" in note for note in reading.description.notes)
    assert run(all_rows(reading))


@pytest.mark.parametrize(("suffixes", "parser_type"), [(TEXTS, "csv"), (WORKBOOKS, "excel")])
def test_every_nasty_file_gives_rows_or_a_refusal_with_a_name(
    suffixes: set[str], parser_type: str, tmp_path: Path
) -> None:
    files = sorted(path for path in (DATA / "torture").rglob("*") if path.suffix in suffixes)
    assert len(files) > 50
    slots = asyncio.Semaphore(2)

    async def attempt(place: int, path: Path) -> str:
        config = {"file_path": str(path.relative_to(DATA))}
        async with slots, asyncio.timeout(30):
            try:
                _, reading = await opened(parser_type, config, tmp_path / str(place))
                await all_rows(reading)
            except PricemillError as error:
                return error.code
            return "read"

    async def everything() -> list[str]:
        return await asyncio.gather(*(attempt(place, path) for place, path in enumerate(files)))

    outcomes = Counter(run(everything()))
    assert set(outcomes) <= {"read", "source_unreadable", "source_refused"}
    assert outcomes["read"] > len(files) / 2
