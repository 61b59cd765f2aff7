"""Items and rejected rows in the forms in which they are sent to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from contracts.rows import Item, RowError
from db.storable import storable

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"

Categories = Mapping[tuple[str, ...], str]
"""Ids by path."""


def copy_text(items: Sequence[Item], kinds: Sequence[int], categories: Categories) -> bytes:
    """Rows of loader_stage in COPY's text format, column by column: half the time of going row by row. Lone surrogates
    are sent as they are; the server refuses them, and the row is found by bisection."""
    if not items:
        return b""
    numbers, fingerprints, hashes, skus, names, prices, currencies, bases, units, gtins, paths, characteristics = zip(
        *items, strict=True
    )
    columns = (
        map(str, numbers),
        map(str, kinds),
        (_NULL if value is None else str(value) for value in fingerprints),
        map(str, hashes),
        _escaped(skus),
        _escaped(names),
        _escaped(prices),
        _escaped(currencies),
        _escaped(bases),
        _nullable(units),
        _nullable(gtins),
        [_NULL if not path else categories[path] for path in paths],
        _escaped(characteristics),
    )
    return ("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n").encode("utf-8", "surrogatepass")


def _escaped(values: Sequence[str]) -> Sequence[str]:
    together = "".join(values)
    if "\\" in together or "\t" in together or "\n" in together or "\r" in together:
        return [value.translate(_ESCAPES) for value in values]
    return values


def _nullable(values: Sequence[str | None]) -> Sequence[str]:
    if not any(values):
        return [_NULL if value is None else "" for value in values]
    return [_NULL if value is None else value.translate(_ESCAPES) for value in values]


def log_columns(rejects: Sequence[RowError]) -> tuple[list[Any], ...]:
    """row_number, error_type, error_message, field, value and row_data (JSON text) as columns for unnest()."""
    return (
        [reject.row_number for reject in rejects],
        [reject.code for reject in rejects],
        [storable(reject.message) for reject in rejects],
        [None if reject.field is None else storable(reject.field)[:100] for reject in rejects],
        [None if reject.value is None else storable(reject.value) for reject in rejects],
        [
            orjson.dumps([None if cell is None else storable(cell) for cell in reject.cells]).decode()
            for reject in rejects
        ],
    )
