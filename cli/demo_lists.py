"""The price lists of the demo, made up and always the same."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MANY = 100_000
CHANGED_SHARE = 10
"""Per cent of the prices that the second version changes."""
NOUNS = ("Kabelbinder", "Klemme", "Schelle", "Dübel", "Winkel", "Scheibe", "Bolzen", "Feder", "Hülse", "Muffe")
COLOURS = ("schwarz", "weiß", "rot", "blau", "grün", "grau")
BRANDS = ("Volta", "Ferrum", "Nordlicht", "Kestrel", "Aurum")
MATERIALS = ("steel", "brass", "nylon", "zinc", "copper")


@dataclass(frozen=True, slots=True)
class DemoList:
    path: Path
    supplier: str
    parser_type: str
    what: str
    """A phrase for the person who watches."""
    broken: bool = False


def write(folder: Path) -> tuple[DemoList, ...]:
    """Writes all lists; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    lists = (
        DemoList(folder / "nordwind_preisliste.csv", "Nordwind", "csv", "German, Windows-1252, title and total lines"),
        DemoList(folder / "optica_tarifa.xlsx", "Óptica Luz", "excel", "Excel with section rows"),
        DemoList(folder / "acme_2026-10.csv", "Acme Fasteners", "csv", "clean CSV, 100,000 rows"),
        DemoList(folder / "acme_2026-11.csv", "Acme Fasteners", "csv", "the next version, 10 % of the prices changed"),
        DemoList(folder / "delta_export.xlsx", "Delta Textil", "excel", "a broken file", broken=True),
    )
    lists[0].path.write_bytes(german())
    workbook(lists[1].path)
    _table(lists[2].path, changed=False)
    _table(lists[3].path, changed=True)
    lists[4].path.write_bytes(lists[1].path.read_bytes()[:2000])
    return lists


def german() -> bytes:
    """Two title lines, decimal commas, a typing error (O for 0), a price on request, a total line."""
    dice = random.Random(1)  # noqa: S311 (made-up prices)
    rows = ["Nordwind Handels GmbH;;;;;", "Preisliste gültig ab 01.11.2026, alle Preise in EUR;;;;;", ";;;;;"]
    rows.append("Art.-Nr.;Bezeichnung;EAN;EK netto;VPE;Lieferzeit")
    total = Decimal(0)
    for number in range(1, 481):
        price = Decimal(dice.randrange(15, 250_000)) / 100
        total += price
        written = f"{price:,.2f}".translate(str.maketrans(",.", ".,"))
        if number == 120:
            written = "12,5O"
        elif number == 300:
            written = "auf Anfrage"
        name = f"{dice.choice(NOUNS)} {dice.randrange(5, 400)} mm {dice.choice(COLOURS)}"
        pack = dice.choice((1, 10, 25, 100))
        days = f"{dice.randrange(1, 5)}-{dice.randrange(5, 9)} Tage"
        rows.append(f"NW-{1000 + number};{name};{_ean(number)};{written};{pack};{days}")
    rows.append(f";Summe;;{f'{total:,.2f}'.translate(str.maketrans(',.', '.,'))};;")
    return ("\r\n".join(rows) + "\r\n").encode("cp1252")


def _ean(number: int) -> str:
    digits = f"400638{number:06}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd + 3 * even) % 10}"


def workbook(path: Path) -> None:
    """Section rows name the category of the rows below; one price is missing."""
    dice = random.Random(2)  # noqa: S311 (made-up prices)
    rows: list[tuple[str | Decimal | int | None, ...]] = [("Código", "Descripción", "Precio EUR", "Stock", "Marca")]
    for section in ("Monturas", "Lentes", "Accesorios"):
        rows.append((section,))
        for number in range(1, 61):
            price = None if (section, number) == ("Lentes", 7) else Decimal(dice.randrange(500, 30_000)) / 100
            code = f"{section[:3].upper()}-{number:03}"
            brand = dice.choice(BRANDS)
            rows.append((code, f"{section[:-1]} {brand} {number:02}", price, dice.randrange(0, 90), brand))
    parts = {**_PARTS, "xl/worksheets/sheet1.xml": _SHEET.format("".join(map(_row, rows)))}
    with ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(ZipInfo(name, (2026, 11, 1, 0, 0, 0)), text, ZIP_DEFLATED)


def _row(cells: tuple[str | Decimal | int | None, ...]) -> str:
    return "<row>" + "".join(map(_cell, cells)) + "</row>"


def _cell(value: str | Decimal | int | None) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET = f'<worksheet xmlns="{_MAIN}"><sheetData>{{}}</sheetData></worksheet>'
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Tarifa" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
"""The least a workbook needs; a library would stamp the time and make other bytes at every run."""


def _table(path: Path, *, changed: bool) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ("SKU", "Name", "Category", "Price", "Currency", "Stock", "Brand", "Size", "Colour", "Material")
        )
        writer.writerows(_rows(changed=changed))


def _rows(*, changed: bool) -> Iterator[tuple[str, ...]]:
    dice = random.Random(3)  # noqa: S311 (made-up prices)
    for number in range(MANY):
        cents = dice.randrange(50, 100_000)
        dearer = dice.randrange(100) < CHANGED_SHARE
        rise = dice.randrange(1, 400)
        price = cents + (rise if changed and dearer else 0)
        brand, material = dice.choice(BRANDS), dice.choice(MATERIALS)
        yield (
            f"AF-{number:06}",
            f"{brand} fastener {number % 977} {material}",
            f"Fasteners/{material}",
            f"{price // 100}.{price % 100:02}",
            "EUR",
            str(dice.randrange(0, 1000)),
            brand,
            f"M{dice.randrange(2, 20)}",
            dice.choice(COLOURS),
            material,
        )
