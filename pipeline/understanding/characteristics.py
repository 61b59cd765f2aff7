"""Names the columns that are no field: one unique key each, and whether their values are numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from contracts.rows import Cell
from contracts.understanding import Column
from pipeline.understanding.table import Table
from pipeline.understanding.text import fold, letter, one_line, plain, short

DIGITS = 15
"""More digits do not survive a double in whatever reads the JSON."""

_CODES = frozenset((
    "code", "no", "nr", "id", "sku", "ref", "reference", "number", "nummer", "ean", "gtin", "upc", "isbn", "mpn",
    "hs", "zip", "plz", "phone", "tel", "артикул", "код", "номер", "тнвэд", "codigo", "codice", "kod", "year",
    "jahr", "serial",
))  # fmt: skip
"""Words of headers whose values are codes, even where they look like numbers."""


def key_of(header: str) -> str:
    """Lower case, everything but letters and digits as one underscore: "Länge (mm)" -> "länge_mm"."""
    word = "".join(character if character.isalnum() else " " for character in header.lower())
    return "_".join(word.split())[:120]


def is_canonical_number(text: str) -> bool:
    """True for a JSON number of at most 15 digits without exponent and leading zeros: what may be stored as a number
    and reads back as the same text."""
    if not text.isascii():
        return False
    body = text[1:] if text[:1] == "-" else text
    whole, point, fraction = body.partition(".")
    if not whole.isdigit() or (len(whole) > 1 and whole[0] == "0") or (point and not fraction.isdigit()):
        return False
    return len(whole) + len(fraction) <= DIGITS


def is_number_cell(cell: Cell) -> bool:
    """True if a cell may be stored as a number."""
    if isinstance(cell, Decimal):
        return is_canonical_number(plain(cell))
    return isinstance(cell, str) and is_canonical_number(cell)


def characteristic_columns(table: Table, mapped: Collection[int], *, listed: Sequence[int] | None) -> list[Column]:
    """Columns in list order. A blank header gets "column_C" if the column holds anything in the sample; a column that
    is not listed, or blank altogether without a header, is dropped (key None)."""
    used = {"gtin", "unit"}
    columns = []
    for index in range(table.width):
        if index in mapped and (listed is None or index not in listed):
            continue
        header = table.header(index)
        values = table.values(index)
        key: str | None = key_of(header) or f"column_{letter(index).lower()}"
        reason = "kept as characteristic"
        if listed is not None and index not in listed:
            key, reason = None, "not listed as characteristic"
        elif not header and not values:
            key, reason = None, "blank"
        if key is not None:
            key = _unique(key, used)
        number = bool(values) and not (set(fold(header).split()) & _CODES) and all(map(is_number_cell, values))
        columns.append(
            Column(
                index=index,
                header=header,
                field=None,
                key=key,
                kind="number" if key is not None and number else "text",
                reason=reason,
                sample=short(one_line(values[0] if values else None)),
            )
        )
    return columns


def _unique(key: str, used: set[str]) -> str:
    name, count = key, 1
    while name in used:
        count += 1
        name = f"{key}_{count}"
    used.add(name)
    return name
