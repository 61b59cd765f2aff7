"""What any document must be before a schema looks at it: JSON, bounded, and storable in PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import orjson

from contracts.errors import ContractViolation

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20
_WHOLE: Final = 2**63
_MOST: Final = 50
"""Violations that are worth naming; the first suffice to see what is wrong."""


def load(data: bytes | bytearray | str, *, max_bytes: int = MAX_BYTES) -> Any:
    """The value of a JSON text. Raises ContractViolation if it is too long or no JSON (NaN and Infinity are none).
    Its depth is still to be checked by require_storable()."""
    if len(data) > max_bytes:
        raise ContractViolation(
            f"the document is larger than {max_bytes:,} bytes",
            violations=(("", f"has {len(data):,} bytes; {max_bytes:,} are allowed"),),
        )
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ContractViolation("the document is not JSON", violations=(("", f"is not JSON ({where})"),)) from error


def require_storable(document: Any, *, name: str, max_bytes: int = MAX_BYTES) -> None:
    """Raises ContractViolation unless the document is made of JSON values, is at most MAX_DEPTH deep and max_bytes
    long, and holds no NaN, Infinity, whole number of more than 64 bits, NUL or lone surrogate."""
    if not _plain(document, 0):
        found = tuple(_first(_complaints(document, "", 0)))
        raise ContractViolation(f"the {name} cannot be stored", violations=found)
    size = len(orjson.dumps(document))
    if size > max_bytes:
        raise ContractViolation(
            f"the {name} is larger than {max_bytes:,} bytes",
            violations=(("", f"has {size:,} bytes; {max_bytes:,} are allowed"),),
        )


def pointer(parent: str, member: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member."""
    return f"{parent}/{str(member).replace('~', '~0').replace('/', '~1')}"


def _plain(value: Any, depth: int) -> bool:
    """The fast answer for good documents; _complaints says what is wrong with the others."""
    if isinstance(value, str):
        return _text(value)
    if value is None or value is True or value is False:
        return True
    if isinstance(value, dict):
        return depth < MAX_DEPTH and all(
            isinstance(key, str) and _text(key) and _plain(item, depth + 1) for key, item in value.items()
        )
    if isinstance(value, list):
        return depth < MAX_DEPTH and all(_plain(item, depth + 1) for item in value)
    if isinstance(value, int):
        return -_WHOLE <= value < _WHOLE
    return isinstance(value, float) and math.isfinite(value)


def _text(value: str) -> bool:
    if value.isascii():
        return "\x00" not in value
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value


def _complaints(value: Any, where: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        yield where, f"is nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield where, "has a member whose name is not text"
            elif not _text(key):
                yield where, "has a member whose name holds NUL or half a character (a lone surrogate)"
            else:
                yield from _complaints(item, pointer(where, key), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _complaints(item, pointer(where, index), depth + 1)
    elif isinstance(value, str):
        if not _text(value):
            yield where, "holds NUL or half a character (a lone surrogate)"
    elif isinstance(value, int) or value is None:
        if value is not None and not -_WHOLE <= value < _WHOLE:
            yield where, "is a whole number of more than 64 bits"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield where, "is not a finite number"
    else:
        yield where, f"is no JSON value ({type(value).__name__})"


def _first(complaints: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for _, complaint in zip(range(_MOST), complaints, strict=False):
        yield complaint
