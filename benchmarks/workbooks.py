"""Generated workbooks, and what reading one costs."""

from __future__ import annotations

import random
import resource
from collections.abc import Mapping
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from benchmarks import rows
from parsers.process import Job, convert
from parsers.resources import Resources

KINDS: Mapping[str, str] = {
    "plain": "numbers and texts alone",
    "formats": "codes with leading zeros and prices with a currency by number format",
}


def write_workbook(path: Path, *, rows: int, kind: str) -> None:
    """The generated list (benchmarks/rows.py) as a sheet; with `formats` its codes are numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Prices")
    sheet.append(_header())
    for item in _shuffled(rows):
        code, name, category, price, *others = _cells(item)
        money = WriteOnlyCell(sheet, float(price) if _is_amount(price) else price)
        if kind == "formats":
            number = WriteOnlyCell(sheet, item)
            number.number_format, money.number_format = "00000000000", '#,##0.00 "€"'
            sheet.append([number, name, category, money, *others])
        else:
            sheet.append([code, name, category, money, *others])
    book.save(path)


def _header() -> list[str]:
    return rows.HEADER.split(",")


def _cells(item: int) -> list[str]:
    return rows.line(item, version=1).split(",")


def _shuffled(count: int) -> list[int]:
    order = list(range(count))
    random.Random(7).shuffle(order)
    return order


def _is_amount(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()


async def child_seconds(file: Path, home: Path) -> float:
    """CPU seconds until all rows stand in the spool: of the child that reads them and of the worker that takes them
    down. Wall time is at most as long on a machine with a second core."""
    before = _spent()
    target = home / f"{file.stem}.jsonl"
    await convert(Job(file, "xlsx", None, file.name), target, Resources(source_roots=(home,)))
    target.unlink()
    return _spent() - before


def _spent() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
