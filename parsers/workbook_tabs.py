"""Chooses the sheet of a workbook that is read, or asks where several are one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice

from contracts.questions import Option, Question
from contracts.rows import Cell

ALL = "*"
"""No sheet can be called so: all visible sheets with the header of the first table, one below the other."""
LAST_HEADER_ROW = 1_000
"""The last row that a profile may name as header."""
FEWEST_NUMBERS = 5
"""Rows with a number behind their first cell, from which on a sheet without a header may be a list."""
MOST_OTHERS = 4
_PEEKED = 60
"""Rows in which a header is looked for."""

Tabs = Sequence[tuple[str, bool]]
"""Names, and whether they are visible."""
Peek = Callable[[str], Iterator[list[Cell]]]


class SheetUnreadable(Exception):
    """A sentence for the user; crosses the pipe as it is."""


def choose(tabs: Tabs, wanted: str | None, holds_table: Callable[[str], bool]) -> str:
    """Without a name: the first visible one with a table, then the first hidden one with a table."""
    names = [name for name, _ in tabs]
    if wanted is not None:
        folded = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
        if wanted in names or len(folded) == 1:
            return wanted if wanted in names else folded[0]
        raise SheetUnreadable(f"there is no sheet “{wanted}”; there are: {', '.join(names)}")
    if not tabs:
        raise SheetUnreadable("the workbook has no sheets")
    if len(tabs) == 1:
        return names[0]
    ordered = [name for name, shown in tabs if shown] + [name for name, shown in tabs if not shown]
    return next((name for name in ordered if holds_table(name)), ordered[0])


def choose_all(
    tabs: Tabs, wanted: str | None, peek: Peek, count: Callable[[str], int]
) -> tuple[list[str], Question | None]:
    """The sheets to read, in their order, and what to ask first if nobody said which of several alike is meant."""
    first = choose(tabs, None if wanted == ALL else wanted, lambda tab: is_table(peek(tab)))
    if wanted in {None, ALL} and len(tabs) > 1 and _is_preface(peek(first)):
        first = next((name for name, shown in tabs if shown and header_of(peek(name)) is not None), first)
    if wanted not in {None, ALL} or len(tabs) == 1:
        return [first], None
    header = header_of(peek(first))
    if header is None:
        return [first], None
    alike = [name for name, shown in tabs if name == first or (shown and header_of(peek(name)) == header)]
    if len(alike) > 1 and wanted is None:
        return [first], _question({name: count(name) for name in alike})
    return alike, None


def other_tables(tabs: Tabs, chosen: Sequence[str], peek: Peek) -> tuple[str, ...]:
    """Visible sheets with a header of their own; at most MOST_OTHERS."""
    found = (name for name, shown in tabs if shown and name not in chosen and header_of(peek(name)) is not None)
    return tuple(islice(found, MOST_OTHERS))


def _question(rows: dict[str, int]) -> Question:
    names = ", ".join(f"“{name}”" for name in rows)
    total = sum(rows.values())
    options = [
        Option(
            f"all {len(rows)} sheets, one below the other",
            f"{total:,} rows of {names} are read as one list",
            {"read": {"sheet": ALL}},
        )
    ]
    options += [
        Option(
            f"sheet “{name}” only",
            f"{count:,} rows are read; {total - count:,} rows of the other sheets are not",
            {"read": {"sheet": name}},
        )
        for name, count in rows.items()
    ]
    return Question(
        "sheet", f"{len(rows)} sheets hold tables with the same header: {names}. Which are the list?", tuple(options)
    )


class Watch:
    """Looks for the names of a header in another order further down: a second table."""

    def __init__(self, header: tuple[tuple[int, str], ...] | None, rows: Iterable[list[Cell]]) -> None:
        """`rows` are those that the header was found in."""
        places = {text: place for place, text in header or ()}
        self._names: dict[Cell, int] = {}
        for row in islice(rows, _PEEKED) if header else ():
            if sum(_folded(value) in places for value in row) == len(places):
                self._names = {value: places[_folded(value)] for value in row if value is not None}
                break
        self._any = frozenset(self._names)

    def moved(self, row: list[Cell]) -> bool:
        if self._any.isdisjoint(row):
            return False
        found = [(place, self._names[value]) for place, value in enumerate(row) if value in self._any]
        return len(found) > 2 and sum(place != own for place, own in found) > 1


def two_tables(row: int) -> Question:
    option = Option(
        f"only the table below row {row:,}",
        f"the rows above row {row:,} are passed over as a title",
        {"read": {"header_row": row}},
    )
    return Question(
        "layout",
        f"the list holds two tables: the column names stand in row {row:,} again, in another order, so the rows below "
        "would be read from the wrong columns; hand them in as two lists",
        (option,) if row <= LAST_HEADER_ROW else (),
    )


def _folded(value: Cell) -> str:
    return " ".join(value.split()).casefold() if isinstance(value, str) else ""


def is_table(rows: Iterator[list[Cell]]) -> bool:
    """Two rows with two cells each."""
    found = 0
    for row in rows:
        found += sum(value is not None for value in row) > 1
        if found == 2:
            return True
    return False


def _is_preface(rows: Iterable[list[Cell]]) -> bool:
    """An address, terms, a legend: no header, and hardly a number beside a text."""
    first = list(islice(rows, _PEEKED))
    numbers = sum(any(_numeric(value) for value in row[1:]) for row in first)
    return numbers < FEWEST_NUMBERS and header_of(first) is None


def header_of(rows: Iterable[list[Cell]]) -> tuple[tuple[int, str], ...] | None:
    """Places and texts of the first row of three or more distinct texts that stands above a row with a number."""
    header: tuple[tuple[int, str], ...] | None = None
    for row in islice(rows, _PEEKED):
        filled = [(place, value) for place, value in enumerate(row) if value is not None]
        if header is None:
            texts = [(place, _folded(value)) for place, value in filled if isinstance(value, str)]
            plain = len(texts) == len(filled) and not any(_numeric(text) for _, text in texts)
            if len(texts) >= 3 and plain and len({text for _, text in texts}) == len(texts):
                header = tuple(texts)
        elif len(filled) > 1 and any(_numeric(value) for _, value in filled):
            return header
    return None


def _numeric(value: Cell) -> bool:
    return isinstance(value, Decimal) or (isinstance(value, str) and value[:1].isdigit())


def tab_notes(tabs: Tabs, chosen: Sequence[str]) -> list[str]:
    others = [name if shown else f"{name} (hidden)" for name, shown in tabs if name not in chosen]
    names = " and ".join(f"“{name}”" for name in chosen)
    read = f"sheet {names} was read" if len(chosen) == 1 else f"sheets {names} were read"
    notes = [f"{read}; others: {', '.join(others)}"] if others else [read] if len(chosen) > 1 else []
    return notes + [f"sheet “{name}” is hidden" for name in chosen if not dict(tabs)[name]]
