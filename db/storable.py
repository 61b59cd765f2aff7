"""Writes out what PostgreSQL cannot keep: NUL and lone surrogates become their escapes, visible to people."""

from __future__ import annotations

from typing import Any

import orjson


def storable(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(document: Any) -> str:
    """JSON for a jsonb column: headers and values of a list may hold anything."""
    try:
        text = orjson.dumps(document, default=str).decode()
    except TypeError:  # a lone surrogate
        return orjson.dumps(_storable(document), default=str).decode()
    return orjson.dumps(_storable(document), default=str).decode() if "\\u0000" in text else text


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value
