"""Every parser passes the conformance suite, the one of the guide included."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

import parsers
from contracts.parser import Parser
from contracts.task import ParseTask
from parsers.google_sheets import GoogleSheetsParser, _snapshot
from parsers.resources import Resources
from parsers.sheets_client import SheetValues, TabFacts, TabValues
from tests.contract.parser_conformance import ParserConformance

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "write-a-parser.md"


def task(parser_type: str, name: str) -> ParseTask:
    return ParseTask(parser_type=parser_type, supplier_name="ACME", source_config={"file_path": name})


def parser(name: str, directory: Path) -> Parser:
    return parsers.get(name, Resources(source_roots=(directory,)))


class TestCsv(ParserConformance):
    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        text = 'Preisliste\r\n\r\nNr;Name;Preis\r\n1;"Rohr 5"" lang";1,50\r\n2;"zwei\r\nZeilen";3\r\n'
        text += '3;5" Rohr;2\r\n4;"offen;1\r\n'
        rows = "".join(f"{n};Größe {n};{n},00\r\n" for n in range(5, 60))
        (directory / "list.csv").write_bytes((text + rows).encode("cp1252"))
        return parser("csv", directory), task("csv", "list.csv")


class TestWideCsv(ParserConformance):
    """UTF-16: read from a copy in UTF-8."""

    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        text = "Код\tНазвание\tЦена\n" + "".join(f"{n}\tБолт {n}\t{n}.50\n" for n in range(50))
        (directory / "list.csv").write_bytes(text.encode("utf-16"))
        return parser("csv", directory), task("csv", "list.csv")


class TestExcel(ParserConformance):
    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["Code", "Name", "Price", "New"])
        for number in range(40):
            sheet.append([f"{number:05d}", f"Bolt {number}", number + 0.5, number % 2 == 0] if number % 7 else [])
        book.save(directory / "list.xlsx")
        return parser("excel", directory), task("excel", "list.xlsx")


class TestJsonLines(ParserConformance):
    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        lines = ['{"sku": "A1", "price": 1.50}', "", "no json", '{"sku": "A2", "price": 2, "dims": {"h": 1.0}}']
        lines += [f'{{"sku": "B{n}", "price": {n}.25, "late_{n % 3}": true}}' for n in range(40)]
        (directory / "list.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return parser("json_lines", directory), task("json_lines", "list.jsonl")


class _Recorded(GoogleSheetsParser):
    """The parser with its three requests already answered."""

    async def fetch(self, task: ParseTask, spool: Path):
        shown = [["Code", "Name", "Price"], [], *([f"{n:04d}", f"Bolt {n}", f"{n},50 €"] for n in range(40))]
        stored = [["Code", "Name", "Price"], [], *([n, f"Bolt {n}", n + 0.5] for n in range(40))]
        return _snapshot(
            SheetValues("List", (TabValues(TabFacts(0, "Tab 1", 0, False, 0), shown, stored),)), spool, 1_000_000
        )


class TestGoogleSheets(ParserConformance):
    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        config = {"sheet_url": "https://docs.google.com/spreadsheets/d/abc"}
        made = ParseTask(parser_type="google_sheets", supplier_name="ACME", source_config=config)
        return _Recorded(Resources()), made


class TestEInvoice(ParserConformance):
    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        lines = "".join(
            f"<InvoiceLine><ID>{n}</ID><InvoicedQuantity>{1 - n % 5}</InvoicedQuantity><Item><Name>Größe {n}</Name>"
            f"<SellersItemIdentification><ID>{n:04d}</ID></SellersItemIdentification></Item>"
            f"<Price><PriceAmount>{n}.50</PriceAmount></Price></InvoiceLine>"
            for n in range(40)
        )
        space = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
        text = f'<?xml version="1.0" encoding="ISO-8859-1"?><Invoice xmlns="{space}">{lines}</Invoice>'
        (directory / "list.xml").write_bytes(text.encode("latin-1"))
        return parser("e_invoice", directory), task("e_invoice", "list.xml")


class TestHtml(ParserConformance):
    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        rows = "".join(f"<tr><td>{n:04d}<td>Größe {n}<td>{n},50 €" if n % 7 else "<tr>" for n in range(40))
        text = f'<html><meta charset="iso-8859-1"><table><tr><th>Nr<th>Name<th>Preis{rows}</table></html>'
        (directory / "list.html").write_bytes(text.encode("cp1252"))
        return parser("html", directory), task("html", "list.html")


def code_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def load(name: str, text: str, directory: Path) -> object:
    path = directory / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class TestParserOfTheGuide(ParserConformance):
    """The two code blocks of the guide, as they are printed."""

    @pytest.fixture(autouse=True)
    def _module(self, tmp_path: Path) -> Iterator[None]:
        parser_code, _ = code_blocks()
        load("fixed_width", parser_code, tmp_path)
        yield
        del sys.modules["fixed_width"]

    def make(self, directory: Path) -> tuple[Parser, ParseTask]:
        _, suite = code_blocks()
        module = load("fixed_width_suite", suite, directory.parent)
        return module.TestFixedWidth().make(directory)


def test_the_parser_of_the_guide_has_fewer_than_twenty_lines() -> None:
    lines = [line for line in code_blocks()[0].splitlines() if line.strip()]
    assert len(lines) < 20
