"""Rows on their way from a source to the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol, Self

from contracts.account import Account
from contracts.questions import Question

Cell = str | Decimal | bool | None
"""A cell as a parser hands it over. Decimal = a real number of the source (Excel, JSON), which no
locale can misread; text stays text; dates are ISO 8601 text; error cells are their text ("#N/A")."""

Row = Sequence[Cell]


class BrokenRow(tuple[Cell, ...]):  # noqa: SLOT001 (a tuple subclass cannot have slots of its own)
    """A row that could not be cut into cells, or of which its parser knows that it states no price; always rejected,
    never a note or a heading. Its cells (usually one: the raw text, at most 1,000 characters) are for people and may
    hold lone surrogates."""

    code: str
    """row_unreadable, row_ragged, row_too_large or a line_… code of contracts/reasons.py."""

    def __new__(cls, cells: Sequence[Cell], code: str) -> Self:
        row = super().__new__(cls, cells)
        row.code = code
        return row


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place behind the last row of a chunk; enough for a parser to go on from there."""

    row: int
    """Physical rows before this place (the next row is row + 1)."""
    offset: int = 0
    """The parser's own position: a byte offset for text, otherwise unused."""
    unit: int = 0
    """Index of the sheet or table, for sources with several."""

    def document(self) -> dict[str, int]:
        return {"row": self.row, "offset": self.offset, "unit": self.unit}


class Chunk(Protocol):
    """Some consecutive physical rows of a source; cells are decoded only when asked for."""

    number: int
    first_row: int
    """Physical row number (1-based) of the first record."""
    cursor: Cursor
    """The place behind this chunk."""
    records: Sequence[bytes] | None
    """The raw bytes of each record without its line end, where a record can be cut out of the source
    without parsing it; None where it cannot (binary formats). One per row, in order."""

    def __len__(self) -> int: ...

    def row_numbers(self) -> Sequence[int]:
        """Physical row number of each row (consecutive for text; a record that spans lines counts once)."""
        ...

    def rows(self, which: Sequence[int] | None = None) -> list[Row]:
        """The cells of all rows, or of those at the given positions (0-based within the chunk)."""
        ...


class RowError(NamedTuple):
    """One rejected row; goes to parsing_logs exactly once per task."""

    row_number: int
    code: str
    """A reason of contracts/reasons.py."""
    message: str
    field: str | None
    value: str | None
    cells: tuple[str | None, ...]
    """The raw cells as text."""


class Item(NamedTuple):
    """One accepted row, ready to load; every member is already canonical text."""

    row_number: int
    fingerprint: int | None
    """Signed 64-bit hash of the raw record seeded with the plan; None = never matches."""
    key_hash: int
    """Signed 64-bit xxh3 of the UTF-8 SKU."""
    sku: str
    name: str
    price: str
    """[0-9]{1,12}(\\.[0-9]{1,6})?"""
    currency: str
    price_basis: str
    unit: str | None
    gtin: str | None
    category: tuple[str, ...]
    """Path from the root; () = none."""
    characteristics: str
    """A JSON object as text."""


@dataclass(slots=True)
class Batch:
    """What the stages made of one chunk."""

    number: int
    cursor: Cursor
    items: list[Item] = field(default_factory=list)
    """In file order; no two of the same key."""
    repeated: list[Item] = field(default_factory=list)
    """Items whose key already stood in an earlier chunk of this source; they replace what that one wrote."""
    doubled: set[int] = field(default_factory=set)
    """Row numbers of items whose key stands more than once in this chunk. They are written even if nothing differs,
    as `repeated` ones are, so that what is stored does not depend on where a chunk ends."""
    rejects: list[RowError] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    """`read`, fingerprint-`unchanged`, `rejected`, `ignored` as counted before the database saw anything."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a parser knows about the shape of a source before any row is understood."""

    format: str
    """csv, xlsx, xls, ods, json_lines, google_sheets …"""
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    columns: tuple[str, ...] | None = None
    """Column names, where the format itself has them (JSON lines) and no row holds them."""
    fields: tuple[tuple[str, str], ...] = ()
    """(field, column name) where the format itself says which of its columns holds what."""
    notes: tuple[str, ...] = ()
    """Sentences for a person: hidden rows read, encoding guessed …"""
    warnings: tuple[str, ...] = ()
    """Sentences on what is doubtful in the source; they stand among the warnings of the understanding."""
    duplicates: Literal["last", "first", "reject_conflicting"] | None = None
    """Which row counts where a code stands more than once, if neither task nor profile says so; None = the last."""
    question: Question | None = None
    """What a person must answer before any row of this source may be loaded."""
    currencies: tuple[tuple[int, str], ...] = ()
    """(column, sign or code) where the number format of a column, not its cells, states a currency."""
    merged: tuple[tuple[int, int, int, int], ...] = ()
    """Merged areas of the first rows (first row, first column, last row, last column; rows count from 1, columns
    from 0); their value stands in the first cell."""
    others: tuple[str, ...] = ()
    """Visible sheets that hold tables with other headers and were not read."""
    frozen_rows: int = 0
    """Rows at the top that stay in place when one scrolls; the last of them is probably the header."""
    layout: str | None = None
    """What else decides how rows of text are cut: places of columns, an escape character, blanks before quotes."""

    def document(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "quote": self.quote,
            "sheet": self.sheet,
            "notes": list(self.notes),
            **({} if self.layout is None else {"layout": self.layout}),
        }
