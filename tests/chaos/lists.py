"""Two versions of the lists of three suppliers, with two to ten bad rows in a hundred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook

from contracts.task import ParseTask

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
BAD_PRICES = ("n/a", "", "12,5O", "tba")
JUMPS = 223
"""Every so many items a price moves too far to be applied."""


@dataclass(frozen=True, slots=True)
class Supplier:
    name: str
    parser: str
    suffix: str
    bad: int
    """Rows of a hundred whose price cannot be read."""

    def file(self, version: int) -> str:
        return f"{self.name.lower()}-{version}{self.suffix}"


SUPPLIERS = (
    Supplier("Anchor", "csv", ".csv", bad=2),
    Supplier("Bolzen", "csv", ".txt", bad=10),
    Supplier("Clavos", "excel", ".xlsx", bad=5),
)


def _items(supplier: Supplier, rows: int, version: int) -> Iterator[tuple[str, str, str]]:
    """Code, name, price with a point."""
    for number in range(rows):
        price = Decimal(number % 800 + 1) + Decimal("0.25")
        if version > 1 and number % 7 == 3:
            price += Decimal(version) / 2
        if version > 1 and number % JUMPS == 9:
            price *= 20
        shown = str(price)
        if number % 100 < supplier.bad:
            shown = BAD_PRICES[number // 100 % len(BAD_PRICES)]
        yield f"{supplier.name[0]}-{number:05d}", f"{supplier.name} part {number}", shown
    if version > 1:  # what is new, and a code that stands twice, far apart
        for number in range(rows, rows + rows // 20):
            yield f"{supplier.name[0]}-{number:05d}", f"{supplier.name} part {number}", f"{number % 90 + 1}.50"
    yield f"{supplier.name[0]}-{50:05d}", f"{supplier.name} part 50 again", f"{60 + version}.75"


def _comma(path: Path, supplier: Supplier, rows: int, version: int) -> None:
    lines = ["sku,name,price,currency,category"]
    lines += [
        f"{sku},{name},{price},EUR,Group {number % 9}"
        for number, (sku, name, price) in enumerate(_items(supplier, rows, version))
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _german(path: Path, supplier: Supplier, rows: int, version: int) -> None:
    lines = ["Preisliste;;;", ";;;", "Art.-Nr.;Bezeichnung;EK netto;Währung"]
    lines += [f"{sku};{name};{price.replace('.', ',')};EUR" for sku, name, price in _items(supplier, rows, version)]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))


def _workbook(path: Path, supplier: Supplier, rows: int, version: int) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Código", "Descripción", "Precio", "Moneda"])
    for sku, name, price in _items(supplier, rows, version):
        number = price.replace(".", "", 1).isdigit()
        sheet.append([sku, name, float(price) if number else price, "EUR"])
    book.save(path)


WRITERS = {".csv": _comma, ".txt": _german, ".xlsx": _workbook}


def write_lists(root: Path, *, rows: int, versions: int = 2) -> None:
    """Into `root`; every version of every supplier, and a workbook that is none."""
    root.mkdir(parents=True, exist_ok=True)
    for supplier in SUPPLIERS:
        for version in range(1, versions + 1):
            WRITERS[supplier.suffix](root / supplier.file(version), supplier, rows, version)
    (root / "broken.xlsx").write_bytes(b"PK\x03\x04 cut off")


def order_of(root: Path, supplier: Supplier, version: int, *, number: int) -> ParseTask:
    """The task `number` of a run: a version of a supplier's list, valid from the day of that number."""
    return ParseTask(
        task_id=f"{number:04d}-{supplier.name.lower()}-{version}",
        parser_type=supplier.parser,
        supplier_name=supplier.name,
        source_config={"file_path": str(root / supplier.file(version))},
        as_of=BEGIN + timedelta(days=number),
        enqueued_at=BEGIN,
    )


def orders(root: Path) -> Sequence[ParseTask]:
    """What one seed loads: both versions of every supplier, one that dies, and the first supplier's newest again."""
    tasks = [
        order_of(root, supplier, version, number=version * 10 + place)
        for version in (1, 2)
        for place, supplier in enumerate(SUPPLIERS)
    ]
    broken = ParseTask(
        task_id="broken",
        parser_type="excel",
        supplier_name="Broken",
        source_config={"file_path": str(root / "broken.xlsx")},
        as_of=BEGIN,
        enqueued_at=BEGIN,
        max_retries=0,
    )
    return (*tasks[:2], broken, *tasks[2:], order_of(root, SUPPLIERS[0], 2, number=30))
