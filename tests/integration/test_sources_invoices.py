"""Real invoices, catalogues and pages give what EXPECTED.json says; hostile ones end in an error."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pypdf import PdfWriter

import parsers
from contracts.errors import ListDoubtful, MappingIncomplete, ParserDied, SourceUnreadable
from contracts.parser import Reading
from contracts.rows import BrokenRow, Row
from contracts.task import ParseTask
from contracts.understanding import Understanding
from parsers.resources import Resources
from pipeline.stages.normalization import Normalised, RowNormaliser
from pipeline.understanding.understand import understand
from tests.support.cli import Installation

DATA = Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
EXPECTED = json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8")) if DATA.exists() else {}
INVOICES: dict[str, Any] = EXPECTED.get("invoices", {})
PAGES: dict[str, Any] = EXPECTED.get("html", {})
T = TypeVar("T")

needs_data = pytest.mark.skipif(not INVOICES, reason="the sample data are not beside the checkout")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 120))


def read(path: Path, parser_type: str, spool: Path, **config: Any) -> tuple[Reading, list[Row]]:
    async def work() -> tuple[Reading, list[Row]]:
        parser = parsers.get(parser_type, Resources(source_roots=(path.parent,)))
        source_config = {"file_path": path.name, **config}
        task = ParseTask(parser_type=parser_type, supplier_name="ACME", source_config=source_config)
        source = await parser.fetch(task, spool)
        reading = await parser.open(source, parser.config.model_validate(source_config))
        return reading, [row async for chunk in reading.chunks() for row in chunk.rows()]

    return run(work())


def understood(reading: Reading, rows: list[Row], **config: Any) -> Understanding:
    task = ParseTask(parser_type="html", supplier_name="ACME", source_config={"file_path": "x", **config})
    sample = list(enumerate(rows, start=1))
    return understand(sample, reading.description, source_config=task.source_config, options=task.options, profile=None)


def outcome(reading: Reading, rows: list[Row]) -> Understanding | str:
    try:
        return understood(reading, rows)
    except ListDoubtful:
        return "credit note"
    except MappingIncomplete:
        return "no code"


def items(understanding: Understanding, rows: list[Row]) -> list[Normalised]:
    normaliser = RowNormaliser(understanding)
    read_rows = [normaliser.read(number, row) for number, row in enumerate(rows, start=1)]
    return [item for item in read_rows if isinstance(item, Normalised)]


def named(reading: Reading, rows: list[Row]) -> list[dict[str, Any]]:
    assert reading.description.columns is not None
    return [dict(zip(reading.description.columns, row, strict=True)) for row in rows]


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


# ------------------------------------------------------------------ invoices and catalogues


@needs_data
@pytest.mark.parametrize("name", INVOICES)
def test_the_lines_of_an_invoice_are_those_of_the_facts(name: str, tmp_path: Path) -> None:
    facts = INVOICES[name]
    if not facts["line_count"]:
        with pytest.raises(SourceUnreadable, match="no lines"):
            read(DATA / name, "e_invoice", tmp_path)
        return
    reading, rows = read(DATA / name, "e_invoice", tmp_path)
    assert len(rows) == facts["line_count"]
    found = named(reading, rows)
    for row, line in zip(found, facts["lines"], strict=False):
        prices = line.get("prices", [line.get("net_unit_price")])
        assert row["line_id"] == line["id"]
        assert row["name"] == line["name"]
        assert row.get("sku") == line["seller_item_id"]
        assert row["price"] == number(prices[0] if prices else None)
        assert row["currency"] == line.get("currency", facts.get("currency"))
        assert row["quantity"] == number(line.get("quantity"))
        assert row["amount"] == number(line.get("line_amount"))
    if "sum_line_amounts" in facts:
        assert sum(row["amount"] for row in found) == Decimal(facts["sum_line_amounts"])


@needs_data
@pytest.mark.parametrize("name", INVOICES)
def test_an_invoice_is_loaded_row_by_row_or_asks(name: str, tmp_path: Path) -> None:
    """Every item that comes out of it has the price that the facts give for its line."""
    facts = INVOICES[name]
    if not facts["line_count"]:
        return
    reading, rows = read(DATA / name, "e_invoice", tmp_path)
    understanding = outcome(reading, rows)
    if isinstance(understanding, str):
        asked = "credit note" if facts["root"] == "CreditNote" else "no code"
        assert understanding == asked
        assert asked != "no code" or not any(line["seller_item_id"] for line in facts["lines"])
        return
    assert understanding.duplicates == "reject_conflicting"
    for item in items(understanding, rows):
        if item.row_number <= len(facts["lines"]):
            line = facts["lines"][item.row_number - 1]
            assert item.sku == line["seller_item_id"]
            assert Decimal(item.price) == Decimal((line.get("prices") or [line.get("net_unit_price")])[0])


@needs_data
def test_a_line_that_contradicts_itself_is_refused_in_a_real_invoice(tmp_path: Path) -> None:
    name = next(name for name in INVOICES if "Arithmetic" in name)
    reading, rows = read(DATA / name, "e_invoice", tmp_path)
    codes = [row.code if isinstance(row, BrokenRow) else None for row in rows]
    wrong = [
        Decimal(line["quantity"]) * Decimal(line["net_unit_price"]) != Decimal(line["line_amount"])
        for line in INVOICES[name]["lines"]
    ]
    assert [code == "line_contradicts" for code in codes] == wrong
    assert any(wrong)
    assert any("contradict" in note for note in reading.description.warnings)


# ------------------------------------------------------------------ pages


@needs_data
@pytest.mark.parametrize("name", [name for name in PAGES if "items" not in PAGES[name]])
def test_the_products_of_a_page_are_those_of_the_facts(name: str, tmp_path: Path) -> None:
    facts = PAGES[name]
    reading, rows = read(DATA / name, "html", tmp_path)
    understanding = understood(reading, rows)
    found = [(item.sku, item.price, item.currency) for item in items(understanding, rows)]
    offers = facts.get("offers", [facts])
    assert found == [(offer["sku"], offer["price"], facts["currency"]) for offer in offers]


@needs_data
@pytest.mark.parametrize("name", [name for name in PAGES if "items" in PAGES[name]])
def test_a_page_of_blocks_asks_and_its_answer_gives_the_facts(name: str, tmp_path: Path) -> None:
    facts = PAGES[name]
    reading, rows = read(DATA / name, "html", tmp_path)
    with pytest.raises(ListDoubtful) as asked:
        understood(reading, rows)
    assert asked.value.question is not None
    assert facts["next_page"] in " ".join(reading.description.warnings)
    patch = asked.value.question.options[0].patch
    reading, rows = read(DATA / name, "html", tmp_path, **patch["read"])
    understanding = understood(reading, rows, column_mapping=patch["mapping"])
    found = items(understanding, rows)
    assert len(found) == facts["items"]
    assert sum(Decimal(item.price) for item in found) == Decimal(facts["sum_of_prices"])
    assert {item.currency for item in found} == {facts["currency"]}
    assert [item.name for item in found[: len(facts["first"])]] == [first for first, _ in facts["first"]]


@needs_data
def test_what_a_page_shows_otherwise_is_said(tmp_path: Path) -> None:
    reading, _ = read(DATA / next(name for name in PAGES if "jsonld" in name), "html", tmp_path)
    notes = " ".join(reading.description.warnings)
    assert "$199" in notes
    assert "120.00" in notes


# ------------------------------------------------------------------ hostile and damaged documents

UBL = '<?xml version="1.0"?><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">'
GOOD = (
    f"{UBL}<InvoiceLine><ID>1</ID><Item><Name>Bolt</Name><SellersItemIdentification><ID>A</ID>"
    '</SellersItemIdentification></Item><Price><PriceAmount currencyID="EUR">1.50</PriceAmount></Price></InvoiceLine>'
    "</Invoice>"
)


def pdf(content: bytes) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("factur-x.xml", content)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def bomb() -> bytes:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "ha">{levels}]><Invoice>&a11;</Invoice>'.encode()


HOSTILE: dict[str, tuple[str, bytes]] = {
    "a billion laughs": ("e_invoice", bomb()),
    "an external entity": ("e_invoice", b'<!--?--><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
    "a bomb in a pdf": ("e_invoice", pdf(bomb())),
    "bottomless XML": ("e_invoice", f"{UBL}{'<a>' * 500_000}".encode()),
    "an endless attribute": ("e_invoice", f'{UBL}<a b="{"x" * 20_000_000}'.encode()),
    "an endless text": ("e_invoice", f"{UBL}<InvoiceLine><ID>{'x' * 20_000_000}".encode()),
    "half a document": ("e_invoice", GOOD[:-20].encode()),
    "half a pdf": ("e_invoice", pdf(GOOD.encode())[:700]),
    "a workbook": ("e_invoice", b"PK\x03\x04" + b"\0" * 500),
    "a bottomless page": ("html", b"<div>" * 300_000),
    "a pdf called page": ("html", pdf(GOOD.encode())),
    "tables in tables": ("html", b"<table><tr><td>1.50<td>" * 30_000),
    "a page without prices": ("html", b"<html><body>Please log in</body></html>"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_ends_in_an_error_and_a_good_one_is_read_afterwards(name: str, tmp_path: Path) -> None:
    parser_type, content = HOSTILE[name]
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises((SourceUnreadable, ParserDied)) as refused:
        read(tmp_path / "bad", parser_type, tmp_path / "spool-bad")
    assert refused.value.next_step
    assert len(refused.value.message) < 1_500
    assert "root:" not in refused.value.message
    (tmp_path / "good").write_text(GOOD, encoding="utf-8")
    reading, rows = read(tmp_path / "good", "e_invoice", tmp_path / "spool-good")
    assert [row["price"] for row in named(reading, rows)] == [Decimal("1.50")]


def test_an_invoice_inside_a_pdf_is_read_in_the_child(tmp_path: Path) -> None:
    (tmp_path / "invoice.pdf").write_bytes(pdf(GOOD.encode()))
    reading, rows = read(tmp_path / "invoice.pdf", "e_invoice", tmp_path / "spool")
    assert reading.description.format == "ubl_invoice"
    assert named(reading, rows)[0]["sku"] == "A"


@pytest.mark.parametrize("written", ["1,50", "1,500", "1.50 EUR", "1e2", "1.5.0", "١٫٥", "NaN", "0.1234567", "-1"])
def test_what_is_no_xml_decimal_never_becomes_a_price(written: str, tmp_path: Path) -> None:
    (tmp_path / "list.xml").write_text(GOOD.replace("1.50", written), encoding="utf-8")
    reading, rows = read(tmp_path / "list.xml", "e_invoice", tmp_path / "spool")
    assert len(rows) == 1
    assert items(understood(reading, rows), rows) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", GOOD.encode()),
        ("invoice.pdf", pdf(GOOD.encode())),
        ("shop.xls", b"<html><table><tr><td>Code<td>Name<td>Price EUR<tr><td>A<td>Bolt<td>1.50</table></html>"),
    ],
)
def test_the_command_line_chooses_the_parser_by_content(
    name: str, content: bytes, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    (tmp_path / name).write_bytes(content)
    pricemill = Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)
    answer = pricemill.inside("import", tmp_path / name, "--supplier", "Shop", "--check", "--json")
    assert answer.code == 0, answer.err
    assert [(item["sku"], Decimal(item["price"]), item["currency"]) for item in answer.json["items"]] == [
        ("A", Decimal("1.50"), "EUR")
    ]


def test_a_large_catalogue_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    line = GOOD.removeprefix(UBL).removesuffix("</Invoice>")
    (tmp_path / "large").write_text(f"{UBL}{line * 20_000}</Invoice>", encoding="utf-8")

    async def work() -> int:
        parser = parsers.get("e_invoice", Resources(source_roots=(tmp_path,), child_memory_bytes=100_000_000))
        task = ParseTask(parser_type="e_invoice", supplier_name="A", source_config={"file_path": "large"})
        source = await parser.fetch(task, tmp_path / "spool")
        reading = await parser.open(source, parser.config.model_validate(task.source_config))
        return sum([len(chunk) async for chunk in reading.chunks()])

    assert run(work()) == 20_000
