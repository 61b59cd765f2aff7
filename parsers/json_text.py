"""Reads one JSON object exactly: no floats, no surprises, no bombs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from contracts.rows import Cell
from parsers.chunk import number_cell

MAX_DEPTH = 5
MAX_DIGITS = 40
"""Of a number as written; also how far its exponent may reach."""


def read_object(line: str) -> dict[str, Cell]:
    """Values: text, Decimal, bool, None; what is nested becomes compact JSON text. Raises ValueError with a
    phrase that says what is wrong."""
    try:
        found = json.loads(
            line,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_constant,
            object_pairs_hook=_pairs,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (the one error of this function)
    return {key: _cell(value) for key, value in found.items()}


def _number(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    if abs(Decimal(text).adjusted()) > MAX_DIGITS:
        # 1e999999 is short to write and takes minutes to work with
        raise ValueError("the exponent of a number is too large")
    return number_cell(text)


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, (str, bool, Decimal)):
        return value
    return _compact(value, 1)


def _compact(value: Any, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{_compact(item, depth + 1)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_compact(item, depth + 1) for item in value) + "]"
    return str(value) if isinstance(value, Decimal) else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
