"""What a reader of documents (invoices, catalogues, web pages) finds in one: rows under columns that have names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from contracts.questions import Question
from contracts.rows import BrokenRow, Cell, Row


class DocumentUnreadable(Exception):
    """The document cannot be read as what it claims to be, or holds no prices; the sentence says why."""


@dataclass(slots=True)
class Extract:
    """`rows` may raise DocumentUnreadable while they are taken."""

    format: str
    columns: tuple[str, ...] | None
    """None = the rows hold a header, as in a table."""
    rows: Iterable[Row]
    fields: tuple[tuple[str, str], ...] = ()
    """(field, column name) as in Description."""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Of what a person should know before trusting the prices."""
    part: str | None = None
    """The table of a page, as a person would name it."""
    duplicates: Literal["last", "first", "reject_conflicting"] | None = None
    question: Question | None = None


@dataclass(slots=True)
class Record:
    """One row by column name; what is left out is blank. `code` of contracts/reasons.py refuses it."""

    cells: dict[str, Cell]
    code: str | None = None


def rows_of(records: Iterable[Record], columns: Sequence[str]) -> Iterable[Row]:
    for record in records:
        cells = [record.cells.get(column) for column in columns]
        yield cells if record.code is None else BrokenRow(cells, record.code)


def counted(count: int, noun: str, verb: str = "", verbs: str = "") -> str:
    """1 line contradicts, 2 lines contradict."""
    words = f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
    follows = verb if count == 1 else verbs
    return f"{words} {follows}" if follows else words


def shown(number: Decimal) -> str:
    """A number in a sentence: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
