"""Reads the sheets of a workbook as cells; runs in the child process only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from contracts.questions import Question
from contracts.rows import Cell
from parsers.workbook_marks import Area, Marks
from parsers.workbook_merged import MergedCells
from parsers.workbook_rows import trimmed
from parsers.workbook_tabs import (
    SheetUnreadable,
    Tabs,
    Watch,
    choose_all,
    header_of,
    other_tables,
    tab_notes,
    two_tables,
)

__all__ = ["Book", "Sheet", "SheetUnreadable", "read_sheet"]


class Book(Protocol):
    """An opened workbook. Whatever its methods raise beside SheetUnreadable means that this engine cannot read it."""

    tabs: Tabs
    notes: list[str]

    def peek(self, name: str) -> Iterator[list[Cell]]:
        """As rows(); the caller stops after some."""
        ...

    def count(self, name: str) -> int:
        """About how many rows a sheet has."""
        ...

    def marks(self, name: str) -> Marks: ...

    def rows(self, name: str, marks: Marks) -> Iterator[list[Cell]]:
        """From the first row of the sheet to the last that holds something, blank ones included."""
        ...


@dataclass(slots=True)
class Sheet:
    """Notes and question are complete when all rows were taken."""

    name: str
    notes: list[str]
    currencies: tuple[tuple[int, str], ...] = ()
    merged: tuple[Area, ...] = ()
    question: Question | None = None
    others: Sequence[str] = ()
    rows: Iterator[list[Cell]] = field(default_factory=lambda: iter(()))


def read_sheet(path: Path, kind: str, wanted: str | None, engine: str) -> Sheet:
    """Raises SheetUnreadable; whatever else is raised means that this engine cannot read this file, and another one
    may."""
    book = _open(path, kind, engine)
    names, question = choose_all(book.tabs, wanted, book.peek, book.count)
    marks = _agreed([book.marks(name) for name in names])
    notes = [*tab_notes(book.tabs, names), *book.notes]
    for name, found in zip(names, marks, strict=True):
        notes += [f"{name}: {note}" if len(names) > 1 else note for note in found.notes()]
    sheet = Sheet(" + ".join(names), notes, marks[0].currencies, marks[0].merged, question)
    sheet.others = other_tables(book.tabs, names, book.peek) if wanted is None else ()
    sheet.rows = _rows(book, names, marks, sheet)
    return sheet


def _open(path: Path, kind: str, engine: str) -> Book:
    # Each engine is imported where it is used: the child starts faster, and has less memory to begin with.
    if engine == "xlsx":
        from parsers.xlsx_book import XlsxBook  # noqa: PLC0415

        return XlsxBook(path)
    if engine == "ods":
        from parsers.ods_book import OdsBook  # noqa: PLC0415

        return OdsBook(path)
    if engine == "xlrd":
        from parsers.xls_book import XlsBook  # noqa: PLC0415

        return XlsBook(path)
    if engine == "calamine":
        from parsers.calamine_book import CalamineBook  # noqa: PLC0415

        return CalamineBook(path)
    from parsers.pandas_book import PandasBook  # noqa: PLC0415

    return PandasBook(path, kind)


def _agreed(marks: Sequence[Marks]) -> list[Marks]:
    """Where several sheets are one list, a column has a currency only if it has the same one in all of them."""
    if len(marks) == 1:
        return list(marks)
    common = set(marks[0].currencies).intersection(*(found.currencies for found in marks))
    return [
        replace(
            found,
            currencies=tuple(sorted(common)),
            money=tuple(sorted({*found.money, *(column for column, _ in set(found.currencies) - common)})),
            merged=found.merged if found is marks[0] else (),
        )
        for found in marks
    ]


def _rows(book: Book, names: Sequence[str], marks: Sequence[Marks], sheet: Sheet) -> Iterator[list[Cell]]:
    number = 0
    watch = Watch(header_of(book.peek(names[0])), book.peek(names[0]))
    for name, found in zip(names, marks, strict=True):
        first = number + 1
        cells = MergedCells(found.tall)
        for row in cells.fill(book.rows(name, found)):
            number += 1
            if sheet.question is None and watch.moved(row):
                sheet.question = two_tables(number)
            yield trimmed(row)
        if cells.filled:
            where = f"{name}: " if len(names) > 1 else ""
            sheet.notes.append(f"{where}{cells.filled:,} cells below the value of their merged area were read with it")
        if len(names) > 1:
            sheet.notes.append(f"rows {first:,}-{number:,} are those of sheet “{name}” from its first one on")
