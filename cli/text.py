"""Text for a terminal: inert, measured, shortened; and how numbers and times are written."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from observability.inert import inert

ELLIPSIS = "…"


def line(value: object) -> str:
    """One line that cannot move the cursor or change colours, whatever a supplier wrote."""
    return " ".join(inert(str(value)).split())


def width(text: str) -> int:
    """Terminal cells: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    cells = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        cells += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return cells


def shorten(text: str, cells: int) -> str:
    """At most `cells` wide, an ellipsis for what is cut off."""
    if width(text) <= cells:
        return text
    kept = ""
    for character in text:
        if width(kept + character) > cells - 1:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """1 row, 2,000 rows."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def money(price: Decimal | None, currency: str | None = None) -> str:
    """At least two decimals, never an exponent, never rounded; XXX (the list states none) is left out."""
    if price is None:
        return "-"
    whole, _, decimals = f"{price:f}".partition(".")
    amount = f"{int(whole):,}.{decimals.rstrip('0').ljust(2, '0')}"
    return amount if currency in {None, "XXX"} else f"{amount} {currency}"


def duration(seconds: float | None) -> str:
    """0.4s, 11.8s, 48s, 11m42s, 3h05m, 2d04h."""
    if seconds is None:
        return "-"
    if seconds < 20:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def age(moment: datetime | None, now: datetime) -> str:
    return "-" if moment is None else duration(int((now - moment).total_seconds()))


def stamp(moment: datetime | None) -> str:
    """UTC, to the second."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def share(part: int, whole: int) -> str:
    return "0 %" if not part or not whole else f"{max(100 * part / whole, 0.1):.1f} %"


def span(text: str) -> timedelta:
    """90, 90s, 5m, 2h, 7d -> a duration; ValueError for anything else."""
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86_400}.get(text[-1:])
    number = text[:-1] if unit else text
    seconds = float(number) * (unit or 1)
    if not 0 <= seconds < 10_000_000:
        raise ValueError(text)
    return timedelta(seconds=seconds)
