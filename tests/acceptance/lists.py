"""Small supplier lists in many shapes, with everything that a crash could lose or double."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from contracts.task import ParseTask

ROWS = 1_500
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _comma_list(path: Path, *, version: int) -> None:
    lines = ["sku,name,price,currency,category,gtin,colour"]
    for number in range(ROWS):
        price = Decimal(number % 700 + 1) + Decimal("0.25")
        if version > 1 and number % 10 == 3:
            price += version
        if version > 1 and number % 211 == 9:
            price *= 10  # too far to be applied
        name = "" if number % 97 == 5 else f"Bolt {number}"
        shown = "n/a" if number % 131 == 7 else str(price)
        lines.append(f"B-{number:05d},{name},{shown},EUR,Fasteners {number % 7},,{'red' if number % 3 else ''}")
    lines += [  # codes that stand twice, far apart and close together, with other prices
        f"B-{number:05d},Bolt {number} again,{number + version}.75,EUR,Fasteners 0,,red" for number in (11, 400, 1200)
    ]
    lines.append(f"B-{400:05d},Bolt 400 once more,{77 if version == 1 else 7777}.77,EUR,Fasteners 0,,red")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _german_list(path: Path) -> None:
    lines = ["Preisliste Nord GmbH;;;", "gültig ab 01.01.2026;;;", ";;;", "Art.-Nr.;Bezeichnung;EK netto;Währung"]
    lines += [
        f"N{number};Schraube {number} größer;{number % 1000 + 1}.{number % 90 + 10:02d}0,50;EUR"
        for number in range(400)
    ]
    lines += ["N9998;Falsch;12,5O;EUR", ";;;", "Summe;;123,45;"]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))


def _workbook(path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Código", "Descripción", "Precio", "Moneda"])
    for section in range(5):
        sheet.append([f"Sección {section}"])
        for number in range(90):
            sheet.append([f"X{section}{number:03d}", f"Pieza {number}", 1.5 + number, "EUR"])
    sheet.append(["X999", "Sin precio", None, "EUR"])
    book.save(path)


def write_lists(root: Path) -> None:
    """The same bytes whenever it is called."""
    root.mkdir(parents=True, exist_ok=True)
    _comma_list(root / "bolts-1.csv", version=1)
    _comma_list(root / "bolts-2.csv", version=2)
    _german_list(root / "nord.csv")
    if not (root / "piezas.xlsx").exists():
        _workbook(root / "piezas.xlsx")
    (root / "broken.xlsx").write_bytes(b"PK\x03\x04 cut off")


def _task(number: int, supplier: str, parser: str, path: Path, **more: Any) -> ParseTask:
    return ParseTask(
        task_id=f"task-{number}",
        parser_type=parser,
        supplier_name=supplier,
        source_config={"file_path": str(path)},
        as_of=BEGIN + timedelta(days=number),
        enqueued_at=BEGIN,
        **more,
    )


def all_tasks(root: Path) -> Sequence[ParseTask]:
    """Two versions of one list, a German one, a workbook with sections, a broken one, and the second version again."""
    return (
        _task(1, "Bolts & Co", "csv", root / "bolts-1.csv"),
        _task(2, "Nord", "csv", root / "nord.csv"),
        _task(3, "Piezas", "excel", root / "piezas.xlsx"),
        _task(4, "Bolts & Co", "csv", root / "bolts-2.csv"),
        _task(5, "Broken", "excel", root / "broken.xlsx", max_retries=0),
        _task(6, "Bolts & Co", "csv", root / "bolts-2.csv", priority="high"),
    )


def price_list(path: Path, prices: Mapping[str, Decimal]) -> bytes:
    """One row per code, in this order, written over what is there; the same bytes whenever it is called."""
    lines = ["sku,name,price,currency", *(f"{sku},Part {sku},{price},EUR" for sku, price in prices.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(data)
    return data


def order(task_id: str, path: Path, *, supplier: str = "Parts Ltd", **more: Any) -> ParseTask:
    """Of a comma list; without `as_of` it is valid from when it is registered."""
    return ParseTask(
        task_id=task_id, parser_type="csv", supplier_name=supplier, source_config={"file_path": str(path)}, **more
    )
