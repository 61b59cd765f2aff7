"""Reads one table of an .ods row by row; what is repeated is told as repeated."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from contracts.rows import Cell
from parsers.workbook_formats import NO_RESULT, Shown, as_shown, number
from parsers.workbook_marks import Area
from parsers.xml_stream import feed

CONTENT = "content.xml"
_PERCENT = Shown("percent")
_TIME = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")


class Found(NamedTuple):
    """A cell that holds something; `times` of them stand beside each other."""

    at: int
    times: int
    value: Cell
    kind: str
    """As office:value-type, and "code" for a number shown with leading zeros."""
    sign: str | None
    merged: tuple[int, int] | None
    """Columns and rows that the cell covers."""


class Line(NamedTuple):
    cells: list[Found]
    times: int
    hidden: bool


class Table(NamedTuple):
    name: str
    visible: bool


def tables(archive: zipfile.ZipFile) -> list[Table]:
    """Names of the tables; styles stand before them and say which are shown. Raises ExpatError."""
    hidden: set[str] = set()
    found: list[Table] = []
    style, depth = "", 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal style, depth
        if name == "style":
            style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            hidden.add(style)
        elif name == "table":
            if depth == 0:
                shown = attributes.get("table:style-name", "") not in hidden
                found.append(Table(attributes.get("table:name", ""), shown))
            depth += 1

    def end(name: str) -> None:
        nonlocal depth
        depth -= name == "table"

    for _ in feed(archive, CONTENT, start=start, end=end, text=lambda _: None):
        pass
    return found


def lines(archive: zipfile.ZipFile, wanted: str, hidden_columns: list[tuple[int, int]]) -> Iterator[Line]:
    """All rows of a table up to its end. Hidden columns (first, count) are put into the list that is handed over.
    Raises ExpatError."""
    reader = _Reader(wanted, hidden_columns)
    for _ in feed(archive, CONTENT, start=reader.start, end=reader.end, text=reader.text.append):
        found, reader.lines = reader.lines, []
        yield from found
        if reader.done:
            return


class _Reader:
    def __init__(self, wanted: str, hidden_columns: list[tuple[int, int]]) -> None:
        self.lines: list[Line] = []
        self.text: list[str] = []
        self.done = False
        self._wanted = wanted
        self._hidden_columns = hidden_columns
        self._inside = False
        self._depth = 0
        self._aside = 0
        self._column = 0
        self._row: dict[str, str] = {}
        self._at = 0
        self._cells: list[Found] = []
        self._cell: dict[str, str] | None = None
        self._paragraphs: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table":
            self._depth += 1
            if self._depth == 1:
                self._inside = attributes.get("table:name", "") == self._wanted and not self.done
        if not self._inside or self._depth > 1:
            return
        if name in {"table-cell", "covered-table-cell"}:
            self._cell = attributes
            self._paragraphs = []
        elif name == "p":
            self.text.clear()
        elif name == "s":
            self.text.append(" " * min(_count(attributes, "text:c"), 1_000))
        elif name == "tab":
            self.text.append("\t")
        elif name == "line-break":
            self.text.append("\n")
        elif name in {"annotation", "shapes"}:
            self._aside += 1
        elif name == "table-row":
            self._row, self._at, self._cells = attributes, 0, []
        elif name == "table-column":
            count = _count(attributes, "table:number-columns-repeated")
            if attributes.get("table:visibility", "visible") != "visible":
                self._hidden_columns.append((self._column, count))
            self._column += count

    def end(self, name: str) -> None:
        if name == "table":
            self._depth -= 1
            if self._depth == 0 and self._inside:
                self._inside, self.done = False, True
        if not self._inside or self._depth > 1:
            return
        if name == "p":
            if not self._aside:
                self._paragraphs.append("".join(self.text))
            self.text.clear()
        elif name in {"annotation", "shapes"}:
            self._aside -= 1
        elif name in {"table-cell", "covered-table-cell"}:
            self._end_cell()
        elif name == "table-row":
            hidden = self._row.get("table:visibility", "visible") != "visible"
            self.lines.append(Line(self._cells, _count(self._row, "table:number-rows-repeated"), hidden))

    def _end_cell(self) -> None:
        attributes = self._cell or {}
        count = _count(attributes, "table:number-columns-repeated")
        kind, value = _value(attributes, "\n".join(self._paragraphs))
        if value is not None:
            across = _count(attributes, "table:number-columns-spanned")
            down = _count(attributes, "table:number-rows-spanned")
            merged = (across, down) if across * down > 1 else None
            sign = attributes.get("office:currency") if kind == "currency" else None
            self._cells.append(Found(self._at, count, value, kind, sign, merged))
        self._at += count


def _count(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) else 1


def _value(attributes: dict[str, str], text: str) -> tuple[str, Cell]:
    """Kind and value, as a person sees it where the number alone would say something else."""
    kind = attributes.get("office:value-type", "")
    if attributes.get("calcext:value-type") == "error":
        return "error", text if text[:1] == "#" else "#ERR!"  # Err:502 and the like
    if kind in {"float", "currency", "percentage"}:
        found = number(attributes.get("office:value", ""))
        if kind == "percentage":
            return kind, as_shown(found, _PERCENT)
        if _is_code(text, found):
            return "code", text
        return kind, found
    if kind == "date":
        return kind, attributes.get("office:date-value", text).removesuffix("T00:00:00") or None
    if kind == "time":
        match = _TIME.fullmatch(attributes.get("office:time-value", ""))
        return kind, ":".join(part.zfill(2) for part in match.groups()) if match else text or None
    if kind == "boolean":
        return kind, attributes.get("office:boolean-value") == "true"
    found = attributes.get("office:string-value", text)
    if not found and "table:formula" in attributes and not kind:
        return "no result", NO_RESULT
    return kind, found or None


def _is_code(text: str, value: Cell) -> bool:
    """The shown text is the number with zeros before it, perhaps with signs between its digits."""
    digits = "".join(mark for mark in text if mark.isdigit())
    return (
        text[:1] == "0"
        and len(digits) > 1
        and isinstance(value, Decimal)
        and not set(text) & set(".,")
        and digits.isascii()
        and Decimal(digits) == value
    )


def area(line: int, found: Found) -> Area | None:
    """Of a merged cell that begins in the row with this number."""
    if found.merged is None:
        return None
    across, down = found.merged
    return Area(line, found.at, line + down - 1, found.at + across - 1)
