"""How converted rows stand in a file: a JSON object about the source, then one JSON array a row."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from contracts.questions import Question
from contracts.rows import BrokenRow, Cell, Row
from parsers.chunk import SHOWN, broken
from parsers.cutting import MAX_RECORD


def encode_row(cells: Sequence[Cell]) -> bytes:
    """One line. A number stands as an array of its text, which no reader of JSON can round; a row that is too
    large stands as the beginning of its text alone, a BrokenRow as an object of its code and its cells."""
    try:
        known = [[format(cell, "f")] if isinstance(cell, Decimal) else cell for cell in cells]
        line = orjson.dumps({cells.code: known} if isinstance(cells, BrokenRow) else known)
    except TypeError:
        # a lone surrogate cannot be written as UTF-8
        clean = [cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell for cell in cells]
        return _large(clean, "row_unreadable")
    return line + b"\n" if len(line) < MAX_RECORD else _large(cells, "row_too_large")


def _large(cells: Sequence[Cell], code: str) -> bytes:
    text = " ".join(str(cell)[:SHOWN] for cell in cells[:SHOWN] if cell is not None)[:SHOWN]
    return orjson.dumps({code: text}) + b"\n"


def decode_rows(records: Sequence[bytes]) -> list[Row]:
    rows: list[Row] = []
    for record in records:
        cells = orjson.loads(record)
        if isinstance(cells, dict):
            code, kept = next(iter(cells.items()))
            rows.append(broken(kept, code) if isinstance(kept, str) else BrokenRow(_cells(kept), code))
        else:
            rows.append(_cells(cells))
    return rows


def _cells(line: list[Any]) -> list[Cell]:
    return [Decimal(cell[0]) if type(cell) is list else cell for cell in line]


def head_line(
    *,
    format: str,  # noqa: A002 (as in Description)
    sheet: str | None,
    notes: Sequence[str],
    columns: Sequence[str] | None = None,
    fields: Sequence[tuple[str, str]] = (),
    warnings: Sequence[str] = (),
    duplicates: str | None = None,
    question: Question | None = None,
    currencies: Sequence[tuple[int, str]] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
    frozen_rows: int = 0,
    others: Sequence[str] = (),
) -> bytes:
    """The first line of a row file: members of a Description; what is None is left out."""
    facts = {
        "columns": None if columns is None else list(columns),
        "fields": list(fields) or None,
        "warnings": list(warnings) or None,
        "duplicates": duplicates,
        "question": None if question is None else question.document(),
        "currencies": list(currencies) or None,
        "merged": [list(area) for area in merged] or None,
        "frozen_rows": frozen_rows or None,
        "others": list(others) or None,
    }
    given = {name: value for name, value in facts.items() if value is not None}
    return orjson.dumps({"format": format, "sheet": sheet, "notes": list(notes), **given}) + b"\n"
