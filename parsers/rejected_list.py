"""Writes rejected rows as a list that a supplier can mend: their own columns, a comment on each bad cell."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

_STARTS_FORMULA = "=+-@＝＋－＠\t\r\n|%"
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,' \u00a0\u202f][0-9]+)*")
_LEAD = " \u00a0\u200b\ufeff\x00"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST = 32_767
"""Characters of a cell, as spreadsheets have it."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    row: int
    """Number in the supplier's list."""
    cells: Sequence[str | None]
    comments: dict[int, str]
    """By column, zero-based; -1 = about the whole row."""


def inert_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what could begin one. Plain numbers
    stay."""
    first = text.lstrip(_LEAD)[:1]
    if first and first in _STARTS_FORMULA and not _NUMBER.fullmatch(text.strip()):
        return "'" + text
    return text


def write_csv(path: Path, header: Sequence[str], lines: Iterable[RejectedLine]) -> int:
    """UTF-8 with a byte order mark, comma, the reasons in the last column. Returns the rows written."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["row", *map(inert_cell, header), "why"])
        for line in lines:
            cells = [inert_cell(cell or "").replace("\x00", "") for cell in line.cells]
            cells += [""] * (len(header) - len(cells))
            writer.writerow([str(line.row), *cells, inert_cell("; ".join(line.comments.values()))])
            count += 1
    return count


def write_xlsx(path: Path, header: Sequence[str], lines: Iterable[RejectedLine]) -> int:
    """All cells are text, so that codes keep their zeros. Streams: rows are not kept. Returns the rows written."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rejected rows")
    sheet.freeze_panes = "A2"
    bold, bad = Font(bold=True), PatternFill("solid", fgColor="FFF2CC")
    titles = [_text(sheet, title) for title in ("Row", *header, "Why")]
    for title in titles:
        title.font = bold
    sheet.append(titles)
    count = 0
    for line in lines:
        cells = [_text(sheet, str(line.row)), *(_text(sheet, cell or "") for cell in line.cells)]
        cells += [_text(sheet, "") for _ in range(len(header) + 1 - len(cells))]
        for column, sentence in line.comments.items():
            at = column + 1
            if at < len(cells):
                cells[at].comment = Comment(_legal(sentence), "Pricemill", height=120, width=320)
                cells[at].fill = bad
        cells.append(_text(sheet, "; ".join(line.comments.values())))
        sheet.append(cells)
        count += 1
    book.save(path)
    return count


def _text(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, _legal(text)[:LONGEST])
    cell.data_type = "s"  # openpyxl makes formulas of texts that begin with =
    cell.quotePrefix = True
    return cell


def _legal(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
