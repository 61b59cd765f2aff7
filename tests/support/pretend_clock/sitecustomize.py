"""Loaded by a process that has this folder in its PYTHONPATH: its clock is wrong by the seconds in a file."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

_OFFSET = Path(os.environ["PRETEND_CLOCK"])
"""The file; whoever writes another number into it lets the clock jump."""
_DATETIME, _TIME, _TIME_NS = dt.datetime, time.time, time.time_ns


def _offset() -> float:
    return float(_OFFSET.read_text(encoding="ascii"))


class _Kind(type):
    """To every look the pretended class is the real one."""

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, _DATETIME)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _DATETIME)


class Pretended(_DATETIME, metaclass=_Kind):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return _DATETIME.now(tz) + dt.timedelta(seconds=_offset())

    @classmethod
    def utcnow(cls) -> Any:
        return _DATETIME.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=_offset())


dt.datetime = Pretended  # type: ignore[misc]
time.time = lambda: _TIME() + _offset()
time.time_ns = lambda: _TIME_NS() + int(_offset() * 1_000_000_000)
