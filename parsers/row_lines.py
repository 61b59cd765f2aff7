"""How converted rows stand in a file: a JSON object about the source, then one JSON array a row."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import orjson

from contracts.rows import Cell, Row
from parsers.chunk import SHOWN, broken
from parsers.cutting import MAX_RECORD


def encode_row(cells: Sequence[Cell]) -> bytes:
    """One line. A number stands as an array of its text, which no reader of JSON can round; a row that is too
    large stands as the beginning of its text alone."""
    try:
        line = orjson.dumps([[format(cell, "f")] if isinstance(cell, Decimal) else cell for cell in cells])
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
            code, text = next(iter(cells.items()))
            rows.append(broken(text, code))
        else:
            rows.append([Decimal(cell[0]) if type(cell) is list else cell for cell in cells])
    return rows


def head_line(*, format: str, sheet: str | None, notes: Sequence[str]) -> bytes:  # noqa: A002 (as in Description)
    return orjson.dumps({"format": format, "sheet": sheet, "notes": list(notes)}) + b"\n"
