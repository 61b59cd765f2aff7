"""Which hostile files there are, and how each must end."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import hostile_files as hostile
from tests.support.hostile_files import items, number, packed, sheet_of, text


@dataclass(frozen=True, slots=True)
class Case:
    """A file and how it must end: dead with this code, or with these rows rejected and stored."""

    name: str
    parser: str
    make: Callable[[], bytes]
    code: str | None = None
    says: str = ""
    rejected: dict[str, int] = field(default_factory=dict)
    stored: int = hostile.GOOD_ITEMS


def csv(*lines: str | bytes) -> Callable[[], bytes]:
    """A good list with these lines in its midst."""
    more = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    return lambda: hostile.GOOD + more


def jsonl(*lines: str) -> Callable[[], bytes]:
    good = [f'{{"sku": "G-{n}", "name": "Part {n}", "price": {n}.5, "currency": "EUR"}}' for n in range(40)]
    return lambda: "\n".join([*good, *lines, ""]).encode()


def sheet(*rows: tuple[str, str, str]) -> Callable[[], bytes]:
    return lambda: hostile.packed(hostile.sheet_of(*hostile.items(40), *rows))


def row(price: str, sku: str = "X-1") -> tuple[str, str, str]:
    return text(sku), text("Strange"), price


SECRET = Path("/etc/hostname")
STRANGE = ("NaN", "Infinity", "-inf", "1e400", "-1e-400", "1e999999999", "0x10", "१२३", "9" * 400)
"""Where a price should stand."""
EACH = len(STRANGE)
FORMULAS = (
    row("<c><f>1+1</f></c>", "X-1"),
    row("<c><f>1+1</f><v>2</v></c>", "X-2"),
    row('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "X-3"),
)
LARGE = "x" * 10_000_000
LINES = ("x" * 999 + "\n") * 10_000
UNCLOSED = "x,1,2\n" * 100_000
DOCTYPE = "document type"


def refused(name: str, parser: str, make: Callable[[], bytes], code: str, says: str = "") -> Case:
    return Case(name, parser, make, code, says, stored=0)


def stopped(name: str, parser: str, make: Callable[[], bytes], says: str) -> Case:
    """The good list in front is stored, and what follows is too bad to go on."""
    return Case(name, parser, make, "run_aborted", says)


def loaded(
    name: str, parser: str, make: Callable[[], bytes], stored: int = hostile.GOOD_ITEMS, **rejected: int
) -> Case:
    return Case(name, parser, make, stored=stored, rejected=rejected)


CASES = (
    refused("empty.csv", "csv", lambda: b"", "header_not_found", "empty"),
    refused("empty.xlsx", "excel", lambda: b"", "header_not_found", "empty"),
    refused("empty.jsonl", "json_lines", lambda: b"", "header_not_found", "empty"),
    refused("empty.xml", "e_invoice", lambda: b"", "source_unreadable"),
    refused("empty.html", "html", lambda: b"", "source_unreadable"),
    refused("blank.csv", "csv", lambda: b"\n" * 5_000, "header_not_found", "empty"),
    refused("binary.csv", "csv", lambda: hostile.noise(200_000), "source_unreadable", "binary"),
    refused("binary.xlsx", "excel", lambda: hostile.noise(200_000), "source_unreadable", "binary"),
    refused("binary.jsonl", "json_lines", lambda: hostile.noise(200_000), "source_unreadable", "binary"),
    refused("truncated.xlsx", "excel", lambda: hostile.workbook()[:-2_000], "source_unreadable", "no whole workbook"),
    refused("truncated.xls", "excel", lambda: hostile.old_workbook()[:3_000], "source_unreadable"),
    refused("a pdf.csv", "csv", lambda: b"%PDF-1.7\n" + hostile.noise(5_000), "source_unreadable", "PDF"),
    refused("a pdf.xlsx", "excel", lambda: b"%PDF-1.7\n" + hostile.noise(5_000), "source_unreadable", "PDF"),
    refused("log-in page.csv", "csv", lambda: b"<!DOCTYPE html><html><body>Log in", "source_unreadable", "web page"),
    refused("password.xlsx", "excel", hostile.protected_workbook, "source_unreadable", "password"),
    refused("password.xls", "excel", lambda: hostile.old_workbook(password=True), "source_unreadable", "password"),
    refused("password.ods", "excel", hostile.protected_ods, "source_unreadable", "password"),
    refused("zip bomb.xlsx", "excel", hostile.zip_bomb, "source_refused", "times its size"),
    refused("lying zip bomb.xlsx", "excel", hostile.lying_bomb, "source_unreadable", "no whole workbook"),
    refused("xml bomb.xlsx", "excel", lambda: packed("<a>&a9;</a>", hostile.LAUGHS), "source_refused", DOCTYPE),
    refused("entity.xlsx", "excel", lambda: packed("<a>&a9;</a>", hostile.outside(SECRET)), "source_refused", DOCTYPE),
    refused("xml bomb.xml", "e_invoice", lambda: hostile.invoice(hostile.LAUGHS), "source_unreadable", DOCTYPE),
    refused("entity.xml", "e_invoice", lambda: hostile.invoice(hostile.outside(SECRET)), "source_unreadable", DOCTYPE),
    refused("wide.csv", "csv", lambda: hostile.wide_csv(16_000), "source_unreadable", "16,000 cells"),
    refused(
        "wide and long.csv", "csv", lambda: hostile.wide_csv(16_000, rows=1_000), "source_unreadable", "16,000 cells"
    ),
    refused("wide.xlsx", "excel", lambda: hostile.workbook(16_000, 5), "source_unreadable", "16,000 cells"),
    refused("wide.jsonl", "json_lines", lambda: hostile.wide_jsonl(16_000), "source_unreadable", "16,000 members"),
    loaded("900 columns.csv", "csv", lambda: hostile.wide_csv(900), 40),
    loaded(
        "far cell.xlsx", "excel", lambda: packed(sheet_of(*items(40)).replace("</sheetData>", hostile.FAR_CELL)), 40
    ),
    loaded("large cell.csv", "csv", csv(f"X-1,{LARGE},1.50,EUR"), row_too_large=1),
    stopped("large cell of many lines.csv", "csv", csv(f'X-1,"{LINES}",1.50,EUR'), "row_ragged"),
    refused("quote that never closes.csv", "csv", csv(f'X-1,"{UNCLOSED}'), "mapping_incomplete"),
    loaded("large cell.xlsx", "excel", sheet((text("X-1"), text(LARGE), number("1.5"))), row_too_large=1),
    loaded("large cell.jsonl", "json_lines", jsonl(f'{{"sku": "X-1", "name": "{LARGE}"}}'), row_too_large=1),
    refused("one line.csv", "csv", lambda: b"x," * 10_000_000, "header_not_found", "larger than 1 MB"),
    loaded(
        "nul.csv", "csv", csv(b"X-\x001,Nul,1.50,EUR", b"X-2,Part,1\x00.50,EUR"), text_invalid=1, price_not_a_number=1
    ),
    loaded(
        "nul in a header.csv",
        "csv",
        lambda: hostile.GOOD.replace(b"EUR", b"EUR,x").replace(b"currency", b"currency,so\x00rt"),
    ),
    loaded("nul.jsonl", "json_lines", jsonl(r'{"sku": "X\u0000", "name": "Nul", "price": 1.5}'), text_invalid=1),
    loaded("surrogates.csv", "csv", csv(b"X-1,\xed\xa0\x80 alone,1.50,EUR"), 41),
    loaded(
        "surrogates.jsonl", "json_lines", jsonl(r'{"sku": "X\ud800", "name": "alone", "price": 1.5}'), row_unreadable=1
    ),
    loaded(
        "surrogate in a name.jsonl",
        "json_lines",
        jsonl(r'{"sku": "X-1", "name": "a", "price": 1.5, "\ud800": 1}'),
        row_ragged=1,
    ),
    refused("surrogates.xlsx", "excel", sheet((text("X-1"), text("&#xD800;"), number("1.5"))), "source_unreadable"),
    loaded(
        "no numbers.csv",
        "csv",
        csv(*(f"X-{n},Strange,{value},EUR" for n, value in enumerate(STRANGE))),
        price_not_a_number=EACH - 1,
        price_is_range=1,
    ),
    loaded(
        "no numbers.jsonl",
        "json_lines",
        jsonl(*(f'{{"sku": "X-{n}", "name": "Strange", "price": {value}}}' for n, value in enumerate(STRANGE))),
        row_unreadable=EACH,
    ),
    loaded(
        "no numbers.xlsx",
        "excel",
        sheet(*(row(number(value), f"X-{n}") for n, value in enumerate(STRANGE))),
        price_not_a_number=EACH - 1,
        price_zero=1,
    ),
    loaded(
        "deep.jsonl",
        "json_lines",
        jsonl('{"sku": "X-1", "name": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        row_unreadable=1,
    ),
    loaded(
        "formulas.csv",
        "csv",
        csv('=CMD|/c calc!A0,"=HYPERLINK(""http://x"")",1.50,EUR', 'X-2,"=1+1",=1+1,EUR'),
        41,
        price_twofold=1,
    ),
    loaded("formulas.xlsx", "excel", sheet(*FORMULAS), 41, error_cell=2),
    loaded("macros.xlsm", "excel", hostile.with_macros),
    refused("names.xlsx", "excel", hostile.double_part, "source_refused", "one name"),
    refused("parts.xlsx", "excel", hostile.many_parts, "source_refused", "parts"),
    refused("no workbook.xlsx", "excel", hostile.plain_archive, "source_unreadable", "archive"),
    refused("gzip.csv", "csv", lambda: gzip.compress(hostile.GOOD), "source_unreadable", "compressed"),
    loaded("utf-32.csv", "csv", lambda: hostile.GOOD.decode().encode("utf-32")),
    loaded("half utf-16.csv", "csv", lambda: hostile.GOOD.decode().encode("utf-16")[:-1], 39, row_unreadable=1),
    refused("page bomb.html", "html", lambda: b"<html>" + b"<div>" * 500_000, "source_unreadable", "nested"),
)
