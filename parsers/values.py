"""What the value of a spreadsheet cell means, whichever reader found it."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from contracts.rows import Cell

EXACT = 1e15
"""Spreadsheets keep 15 digits; a larger number is shown as they show it, so that it is seen to be damaged."""


def cell(value: Any) -> Cell:
    """The one meaning of a spreadsheet value, whichever engine found it."""
    if value is None or value == "":
        return None
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return Decimal(value) if abs(value) < EXACT else f"{float(value):.14E}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        if abs(value) >= EXACT:
            return f"{value:.14E}"
        return Decimal(int(value)) if value.is_integer() else Decimal(f"{value:.15g}")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
