"""Decides what becomes of rows that have more or fewer cells than the table has columns."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from contracts.errors import ListDoubtful
from contracts.questions import Option, Question
from contracts.rows import BrokenRow, Description, Row
from pipeline.understanding.mapped import Fields
from pipeline.understanding.structure import table_width
from pipeline.understanding.table import Table
from pipeline.understanding.text import cell_text, filled

OFTEN, FEWEST = 20, 3
"""One row in so many, and no fewer than so many rows, are a habit of the list, fewer are accidents."""
MOSTLY, SELDOM = 0.8, 0.1


class Uneven(NamedTuple):
    width: int
    """Cells a complete row has."""
    short_rows: bool
    long_rows: bool
    guarded: bool


def uneven_rows(table: Table, fields: Fields, description: Description, ragged: str | None) -> Uneven:
    """A cell that was lost, or split by a separator inside it, moves all that follow: a stock becomes a price. Such a
    row is told from one that merely ends early (or has blanks behind) where nothing but the price is a number around
    it, and nothing that matters stands behind it; elsewhere a person is asked (ListDoubtful) if it is no accident.
    `ragged` is what the profile says."""
    width = table_width(table, description)
    if description.delimiter is None:
        return Uneven(width, short_rows=True, long_rows=True, guarded=False)
    rows = [row for row in table.rows() if type(row) is not BrokenRow]
    width = _usual(rows, width)
    if ragged == "pad":
        return Uneven(width, short_rows=True, long_rows=True, guarded=False)
    short = [row for row in rows if len(row) < width]
    long = [row for row in rows if len(row) > width and not filled(row[width:])]
    tellable = _tellable(table, fields, width)
    habit = len(short) >= FEWEST and len(short) * OFTEN > len(rows)
    if habit and ragged is None and not tellable:
        raise ListDoubtful(question=_question(fields, short, len(rows), width))
    return Uneven(
        width,
        short_rows=ragged is None and tellable and habit,
        long_rows=tellable and len(long) * OFTEN > len(rows),
        guarded=True,
    )


def _usual(rows: list[Row], width: int) -> int:
    """Where nearly all rows have as many blank cells behind the last header, these belong to a complete row."""
    lengths = Counter(map(len, rows))
    usual = max(lengths, key=lambda length: (lengths[length], length), default=width)
    if usual <= width or lengths[usual] < MOSTLY * len(rows):
        return width
    return width if any(filled(row[width:]) for row in rows if len(row) == usual) else usual


def _tellable(table: Table, fields: Fields, width: int) -> bool:
    price = fields["price"][0].index
    if any(part.index > price for parts in fields.values() for part in parts):
        return False
    return not any(_numeric(table, index) for index in range(width) if index > price or index == price - 1)


def _numeric(table: Table, index: int) -> bool:
    figures = table.figures(index)
    return figures.numbers > SELDOM * max(figures.filled, 1)


def _question(fields: Fields, short: list[Row], rows: int, width: int) -> Question:
    price = fields["price"][0].index
    example = next((row for row in short if len(row) > price), short[0])
    read = cell_text(example[price]).strip() if len(example) > price else "nothing"
    first = cell_text(example[0]).strip()
    return Question(
        "layout",
        f"{len(short)} of {rows} rows have fewer cells than the header has columns ({width}): do they end early, "
        f"or is a cell missing within them?",
        (
            Option(
                "they end early",
                f"{len(short)} rows are read with blanks at their end; “{first[:40]} …” has the price “{read[:40]}”",
                {"rules": {"ragged": "pad"}},
            ),
            Option("a cell is missing", f"{len(short)} rows are rejected", {"rules": {"ragged": "reject"}}),
        ),
    )
