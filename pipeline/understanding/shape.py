"""The shape of a list: what its next version is compared with."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from xxhash import xxh3_64_intdigest

from contracts.rows import BrokenRow, Cell, Description, Row
from contracts.understanding import FIELDS, Understanding
from pipeline.understanding.numbers import take_apart
from pipeline.understanding.text import cell_text, fold, is_blank, plain, short

VERSION = 1
SKETCH = 64
"""Hashes kept of a column's values: the smallest ones, so that two columns can be compared without their values."""
SHAPED = 500
"""Rows that are looked at."""
KINDS = 50
"""Cells of a column whose characters are told apart."""
_BITS = (1 << 48) - 1

Numbered = Sequence[tuple[int, Row]]


@dataclass(frozen=True, slots=True)
class ShapeColumn:
    """One column of the last list."""

    index: int
    header: str
    sketch: tuple[int, ...]
    numbers: float
    """Share of the filled cells that are numbers."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a list looked like when it was last loaded."""

    fingerprint: str
    columns: tuple[ShapeColumn, ...]
    """In list order."""
    mapping: Mapping[str, Sequence[int]]
    """Indexes of the columns of each field, in key order."""
    told: Mapping[str, Any]
    """The mapping of the profile as it stood after that run."""
    as_of: str
    """RFC 3339, in UTC."""

    def of(self, field: str) -> tuple[ShapeColumn, ...]:
        """Columns that held a field, in key order."""
        known = {column.index: column for column in self.columns}
        return tuple(known[index] for index in self.mapping.get(field, ()))

    @property
    def headers(self) -> list[str]:
        """In list order, blank ones included."""
        return [column.header for column in self.columns]

    @classmethod
    def read(cls, document: Mapping[str, Any] | None) -> Shape | None:
        """None for a document of another version."""
        if document is None or document.get("version") != VERSION:
            return None
        columns = tuple(
            ShapeColumn(
                part["index"],
                part["header"],
                tuple(part["profile"]["sketch"]),
                part["profile"]["numbers"],
            )
            for part in document["columns"]
        )
        return cls(document["fingerprint"], columns, document["mapping"], document["told"], document["as_of"])


def structure_fingerprint(format_: str, sheet: str | None, header_row: int | None, headers: Iterable[str]) -> str:
    """SHA-256 in hex of where the table lies and how its columns are called, in order."""
    parts = [format_, sheet or "", header_row, [fold(header) for header in headers]]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def shape_document(
    sample: Numbered,
    description: Description,
    understanding: Understanding,
    *,
    told: Mapping[str, Any],
    as_of: datetime,
) -> dict[str, Any]:
    """JSON-ready; of the first rows only, so that it costs the same for every list."""
    first = understanding.header_row or 0
    body = [row for number, row in sample if number > first and type(row) is not BrokenRow][:SHAPED]
    headers = {column.index: column.header for column in understanding.columns}
    order = sorted(headers)
    return {
        "version": VERSION,
        "fingerprint": structure_fingerprint(
            description.format, description.sheet, understanding.header_row, (headers[index] for index in order)
        ),
        "format": description.format,
        "sheet": description.sheet,
        "header_row": understanding.header_row,
        "rows": len(body),
        "columns": [
            {
                "index": index,
                "header": headers[index],
                "profile": value_profile([row[index] if index < len(row) else None for row in body]),
            }
            for index in order
        ],
        "mapping": {
            field: [column.index for column in columns]
            for field in FIELDS
            if (columns := understanding.columns_of(field))
        },
        "numbers": {"decimal": understanding.numbers.decimal, "thousands": understanding.numbers.thousands},
        "currency": understanding.currency,
        "told": dict(told),
        "as_of": as_of.astimezone(UTC).isoformat(),
    }


def value_profile(cells: Sequence[Cell]) -> dict[str, Any]:
    """How a column is filled; shares are of its filled cells, `blank` of all."""
    filled = [cell for cell in cells if not is_blank(cell)]
    texts = [cell_text(cell).strip() for cell in filled]
    numbers = [digits_of(cell) for cell in filled]
    lengths = sorted(map(len, texts))
    kinds = Counter(kind for text in texts[:KINDS] for kind in {_kind(character) for character in text[:40]})
    count = len(filled)

    def share(part: int) -> float:
        return round(part / count, 3) if count else 0.0

    return {
        "blank": round(1 - count / len(cells), 3) if cells else 1.0,
        "numbers": share(count - numbers.count(None)),
        "text": share(numbers.count(None)),
        "distinct": share(len(set(texts))),
        "lengths": [lengths[(len(lengths) - 1) * part // 10] for part in (1, 5, 9)] if lengths else [],
        "classes": {kind: round(number / min(count, KINDS), 3) for kind, number in sorted(kinds.items())},
        "samples": [short(texts[0], 60), short(texts[-1], 60)] if texts else [],
        "sketch": list(_smallest(number or fold(text[:500]) for number, text in zip(numbers, texts, strict=True))),
    }


def digits_of(cell: Cell) -> str | None:
    """A number without its separators and trailing zeros, so that 1.234,50 and 1234.5 count as one value."""
    if isinstance(cell, Decimal):
        body = plain(cell)
    else:
        written = take_apart(cell) if isinstance(cell, str) and len(cell) <= 60 else None
        if written is None:
            return None
        body = written.body
    whole = "".join(character for character in body if character.isdigit())
    return (whole.rstrip("0") if len(whole) < len(body) else whole).lstrip("0")


def sketch(cells: Iterable[Cell]) -> tuple[int, ...]:
    """The smallest hashes of the distinct values, ascending."""
    return _smallest(digits_of(cell) or fold(cell_text(cell).strip()[:500]) for cell in cells)


def _smallest(values: Iterable[str]) -> tuple[int, ...]:
    hashes = {xxh3_64_intdigest(value.encode(errors="replace")) & _BITS for value in set(values)}
    return tuple(heapq.nsmallest(SKETCH, hashes))


def resemblance(one: Sequence[int], other: Sequence[int]) -> float:
    """Estimated share of values that two columns have in common, of those that either has."""
    if not one or not other:
        return 0.0
    union = heapq.nsmallest(SKETCH, {*one, *other})
    both = set(one) & set(other)
    return sum(value in both for value in union) / len(union)


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.isalpha():
        return "latin" if character.isascii() else "letter"
    return "space" if character.isspace() else "sign"
