"""Reads one sheet of an .xlsx row by row at constant memory, each cell as a person sees it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from decimal import Decimal

from contracts.rows import Cell
from parsers.workbook_formats import NO_RESULT, PLAIN, Shown, as_shown, moment, number
from parsers.xlsx_package import Package
from parsers.xml_stream import feed

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
MAX_ROWS = 1_048_576
_KNOWN_NUMBERS = 65_536


class Misplaced(Exception):
    """A sheet that breaks the rules of the format; another reader may make something of it."""


def read_rows(package: Package, part: str, *, money: Collection[int] = ()) -> Iterator[list[Cell]]:
    """From the first row of the sheet to the last that holds something. In the columns of `money` amounts are text
    with their currency. Raises ExpatError, Misplaced."""
    values = _Values(package, frozenset(money))
    value_of, text_of = values.value_of, values.text_of
    columns: dict[str, int] = {}
    rows: list[list[Cell]] = []
    row: list[Cell] = []
    text: list[str] = []
    runs: list[str] = []
    next_row, blank, width, at = 1, 0, 0, 0
    kind: str | None = None
    style: str | None = None
    formula = reading = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, width, next_row, blank, at, kind, style, formula, reading
        if name == "c":
            place = attributes.get("r")
            if place is None:
                at = width
            else:
                letters = place.rstrip("0123456789")
                known = columns.get(letters)
                at = columns.setdefault(letters, column_of(letters)) if known is None else known
                if at < width:
                    raise Misplaced(f"cell {place} stands behind the next one")
            width = at + 1
            style = attributes.get("s")
            kind = attributes.get("t")
            formula = False
            text.clear()
        elif name in {"v", "t"}:
            return  # as most calls do, and each comparison costs
        elif name == "row":
            row, width = [], 0
            place = attributes.get("r")
            if place is not None:
                if not next_row <= int(place) <= MAX_ROWS:
                    raise Misplaced(f"row {place} stands behind row {next_row - 1:,}, or where no row can be")
                blank += int(place) - next_row
                next_row = int(place)
        elif name == "is":
            runs.clear()
        elif name == "rPh":
            reading = True

    def end(name: str) -> None:
        nonlocal formula, reading, next_row, blank
        found: Cell
        if name in {"v", "is"}:
            return
        if name == "c":
            if kind == "inlineStr":
                found = unescaped("".join(runs))
                runs.clear()
            elif kind is None or kind == "n":
                found = value_of(text, style, at) if text else NO_RESULT if formula else None
            else:
                found = text_of(kind, "".join(text))
            if found is not None:
                if at > len(row):
                    row.extend([None] * (at - len(row)))
                row.append(found)
        elif name == "row":
            next_row += 1
            if not row:
                blank += 1
                return
            if blank:
                rows.extend([] for _ in range(blank))
                blank = 0
            rows.append(row)
        elif name == "t":
            if not reading:
                runs.extend(text)
            text.clear()
        elif name == "f":
            formula = True
            text.clear()
        elif name == "rPh":
            reading = False

    for _ in feed(package.archive, part, start=start, end=end, text=text.append):
        yield from rows
        rows.clear()


class _Values:
    """What stands in a cell, as a person sees it."""

    def __init__(self, package: Package, money: frozenset[int]) -> None:
        self._package = package
        self._styles = {str(place): style for place, style in enumerate(package.styles) if style != PLAIN}
        self._money = money
        self._known: dict[str | None, dict[str, Cell]] = {}

    def value_of(self, texts: list[str], style: str | None, column: int) -> Cell:
        """Of a cell that holds a number."""
        text = texts[0] if len(texts) == 1 else "".join(texts)
        known = self._known.get(style)
        if known is None:
            known = self._known[style] = {}
        found = known.get(text)
        if found is None:
            found = self._shown(text.strip(), PLAIN if style is None else self._styles.get(style, PLAIN))
            if len(known) < _KNOWN_NUMBERS:
                known[text] = found
        if column in self._money and style is not None and isinstance(found, Decimal):
            return as_shown(found, self._styles.get(style, PLAIN), money=True)
        return found

    def _shown(self, text: str, how: Shown) -> Cell:
        if not text:
            return None
        found = number(text)
        if how is PLAIN:
            return found
        if how.kind in {"date", "elapsed"}:
            if not isinstance(found, Decimal):
                return found
            serial = float(text)
            return moment(serial, from_1904=self._package.from_1904, elapsed=how.kind == "elapsed")
        return as_shown(found, how)

    def text_of(self, kind: str, text: str) -> Cell:
        """Of a cell that holds something else."""
        if kind == "s":
            texts = self._package.texts
            if not text:
                return None
            if not text.isdigit() or int(text) >= len(texts):
                raise Misplaced(f"a cell names the shared text {text[:20]}, which is not there")
            return unescaped(texts[int(text)])
        if kind == "b":
            return text.strip() in {"1", "true"} if text else None
        if kind == "e":
            return text or "#ERR!"
        if kind == "d":
            return text.removesuffix("Z").removesuffix("T00:00:00") or None
        return unescaped(text)


def column_of(letters: str) -> int:
    """A is 0, XFD is 16,383. Raises Misplaced for what is no column."""
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise Misplaced(f"“{letters}” is no column")
        number = number * 26 + ord(letter) - 64
    if not 0 < number <= 16_384:
        raise Misplaced(f"“{letters}” is no column")
    return number - 1


def unescaped(text: str) -> str | None:
    """_x000D_ and the like, as the file format writes control characters."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return text or None
