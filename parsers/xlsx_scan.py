"""Looks through one sheet of an .xlsx for what the fast reader would lose, and for what a person should know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from parsers.workbook_formats import Shown
from parsers.workbook_marks import Area, Marks, settle_currencies
from parsers.xlsx_package import Package

_BLOCK = 1_048_576
_LONGEST_ROW = 8_388_608
"""A longer one is looked through in pieces."""
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_COLUMN = re.compile(rb"<(?:\w+:)?col\s[^>]*>")
_NUMBER_OF = {name: re.compile(rb"\b" + name + rb'="(\d+)"') for name in (b"min", b"max")}
_PLACE = re.compile(rb'\sr="([A-Z]{1,3})(\d+)"')
_ROW_NUMBER = re.compile(rb'\sr="(\d{1,9})"')
_STYLE = re.compile(rb'\ss="(\d+)"')
_TYPE = re.compile(rb'\st="(\w+)"')
_TRUE = re.compile(rb'\bhidden="(?:1|true)"')


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of one sheet, with its prefix."""

    row: re.Pattern[bytes]
    cells: re.Pattern[bytes]
    """Column and other attributes, which end in "/" if the cell is empty."""
    columns: re.Pattern[bytes]
    no_result: re.Pattern[bytes]
    row_start: bytes


@lru_cache(maxsize=16)
def _tags(prefix: bytes) -> _Tags:
    p = re.escape(prefix)
    formula = rb"<" + p + rb"f(?:\s[^>]*)?(?:/>|>[^<]*</" + p + rb"f>)"
    nothing = rb"(?:<" + p + rb"v\s*/>|<" + p + rb"v>\s*</" + p + rb"v>)?"
    return _Tags(
        row=re.compile(rb"<" + p + rb"row(?:\s[^>]*)?>"),
        cells=re.compile(rb"<" + p + rb'c(?:\s+r="([A-Z]{1,3})\d+")?([^>]*)>'),
        columns=re.compile(rb"<" + p + rb'c\s+r="([A-Z]{1,3})\d+"[^>/]*>'),
        no_result=re.compile(rb"<" + p + rb"c([^>]*)>\s*" + formula + rb"\s*" + nothing + rb"\s*</" + p + rb"c>"),
        row_start=b"<" + prefix + b"row",
    )


@dataclass(slots=True)
class _Seen:
    rows: int = 0
    last_row: int = 0
    hidden_rows: int = 0
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    errors: bool = False
    no_results: int = 0
    columns: set[bytes] = field(default_factory=set)
    cells: Counter[tuple[bytes, bytes, bytes]] = field(default_factory=Counter)
    merged: list[Area] = field(default_factory=list)
    merges: int = 0
    tall: list[Area] = field(default_factory=list)
    regular: bool = True


def scan_sheet(package: Package, part: str) -> Marks:
    """Never raises for what stands in the XML: what it cannot tell it leaves to the careful reader, which can."""
    seen = _Seen()
    styled = any(style.kind in {"code", "percent"} or style.sign for style in package.styles)
    tags = None
    for block in _blocks(package, part):
        if tags is None:
            root = re.search(rb"<(\w+:)?worksheet[\s>]", block)
            if root is None:
                return Marks(regular=False)
            tags = _tags(root[1] or b"")
        _look(seen, block, tags, styled=styled)
    width = max((_index(column) for column in seen.columns), default=-1) + 1
    hidden = sum(max(0, min(last, width) - first + 1) for first, last in seen.hidden_columns)
    codes, percents, currencies, money = _by_column(seen.cells, package.styles)
    return Marks(
        rows=seen.rows,
        last_row=seen.last_row,
        width=width,
        errors=seen.errors,
        no_results=seen.no_results,
        codes=codes,
        percents=percents,
        currencies=currencies,
        money=money,
        hidden_rows=seen.hidden_rows,
        hidden_columns=hidden,
        merged=tuple(seen.merged),
        merges=seen.merges,
        tall=tuple(seen.tall),
        regular=seen.regular,
    )


def _look(seen: _Seen, block: bytes, tags: _Tags, *, styled: bool) -> None:
    rows = tags.row.findall(block)
    seen.rows += len(rows)
    if rows:
        number = _ROW_NUMBER.search(rows[-1])
        seen.last_row = int(number[1]) if number else seen.rows
    if b"hidden=" in block:
        seen.hidden_rows += sum(_TRUE.search(row) is not None and not row.endswith(b"/>") for row in rows)
        for column in _COLUMN.findall(block):
            if _TRUE.search(column):
                first, last = (_NUMBER_OF[name].search(column) for name in (b"min", b"max"))
                seen.hidden_columns += [(int(first[1]), int(last[1]))] if first and last else []
    if not seen.errors:
        seen.errors = b't="e"' in block
    if tags.row_start[:-3] + b"f" in block:
        seen.no_results += sum(b't="str"' not in cell for cell in tags.no_result.findall(block))
    if styled:
        for (column, rest), count in Counter(tags.cells.findall(block)).items():
            if not column and rest[:1] in b" \t\r\n/":
                _irregular(seen, rest, empty=rest.endswith(b"/"))
            elif column and not rest.endswith(b"/"):
                seen.columns.add(column)
                seen.cells[column, _one(_STYLE, rest), _one(_TYPE, rest)] += count
    else:
        seen.columns.update(tags.columns.findall(block))
    if b"mergeCell " in block:
        areas = [
            Area(int(top), _index(left), int(bottom), _index(right))
            for left, top, right, bottom in _MERGE.findall(block)
        ]
        seen.merges += len(areas)
        seen.merged += [area for area in areas if area.top <= Marks.MERGES_SEARCHED]
        seen.tall += [area for area in areas if area.bottom > area.top][: Marks.MOST_TALL - len(seen.tall)]


def _irregular(seen: _Seen, attributes: bytes, *, empty: bool) -> None:
    """A cell whose attributes stand in another order, or without its place."""
    place = _PLACE.search(attributes)
    if place is None:
        seen.regular = False
    elif not empty:
        seen.columns.add(place[1])
        seen.cells[place[1], _one(_STYLE, attributes), _one(_TYPE, attributes)] += 1


def _one(pattern: re.Pattern[bytes], attributes: bytes) -> bytes:
    match = pattern.search(attributes)
    return b"" if match is None else match[1]


def _by_column(
    cells: Counter[tuple[bytes, bytes, bytes]], styles: Sequence[Shown]
) -> tuple[int, int, tuple[tuple[int, str], ...], tuple[int, ...]]:
    """Codes, percents, and by column the currency or that there are several."""
    codes = percents = 0
    signs: dict[int, Counter[str | None]] = {}
    for (column, number, kind), count in cells.items():
        if kind not in {b"", b"n"}:
            continue
        place = int(number or 0)
        style = styles[place] if place < len(styles) else None
        codes += count if style is not None and style.kind == "code" else 0
        percents += count if style is not None and style.kind == "percent" else 0
        signs.setdefault(_index(column), Counter())[style.sign if style is not None else None] += count
    return codes, percents, *settle_currencies(signs)


def _index(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _blocks(package: Package, part: str) -> Iterator[bytes]:
    """The XML in pieces that end before a row, so that each tag and cell is seen whole and once."""
    held = b""
    with package.archive.open(part) as file:
        while block := file.read(_BLOCK):
            data = held + block
            at = max(data.rfind(b"<row"), data.rfind(b":row"))
            end = data.rfind(b"<", 0, at + 1) if at > 0 else -1
            if end <= 0 and len(data) > _LONGEST_ROW:
                tag = data.rfind(b"<")
                end = len(data) if data.find(b">", tag) >= 0 else tag
            if end > 0:
                yield data[:end]
                data = data[end:]
            held = data
    yield held
