"""Reads one header text: field, currency, unit and how many units the price is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.understanding.currency import Sign, split_header
from pipeline.understanding.text import fold
from pipeline.understanding.words import Hit, extra_hits, hits, vocabulary

_PER = re.compile(
    r"(?:(?P<word>\b(?:per|pro|je|par|por|za|за|на|à))\s+|(?P<slash>/)\s*)"
    r"(?P<count>[0-9]{1,3}(?:[ .,'][0-9]{3})+|[0-9]{1,7})?(?![0-9]|[./-][0-9])\s*(?P<unit>[^\W\d_]+[23²³]?)?",
    re.IGNORECASE,
)
_GENERIC = frozenset(
    ("unit", "units", "item", "items", "each", "ea", "ед", "од", "einheit", "unidad", "un", "ud", "unite")
)


class Heading(NamedTuple):
    """What one header text says."""

    text: str
    folded: str
    """Without currency words and price basis."""
    hits: tuple[Hit, ...]
    sign: Sign | None
    basis: int | None
    """Units the price is for, where the header says so."""
    unit: str | None

    def hit(self, field: str) -> Hit | None:
        """How the header can be read as this field."""
        return next((hit for hit in self.hits if hit.field == field), None)


def read_heading(text: str, extra: Mapping[str, Sequence[str]] | None = None) -> Heading:
    """Tries the text as it stands, then without its currency words ("Price (USD)") and without its basis
    ("Preis je 100 Stk")."""
    extra = extra or {}
    count, unit, rest = take_basis(text)
    without, sign = split_header(rest)
    for candidate in dict.fromkeys((fold(text), fold(rest), fold(without))):
        hits = extra_hits(candidate, extra)
        if any(hit.level == 4 for hit in hits):
            return Heading(text, candidate, hits, sign, count, unit)
    folded = fold(without)
    return Heading(text, folded, extra_hits(folded, extra), sign, count, unit)


def take_basis(text: str) -> tuple[int | None, str | None, str]:
    """(units the price is for, unit, the text without it). A number behind "/" or "per" counts only if it is a power
    of ten, stands before a unit, or is small and follows a word: "Preis 2023/2024" states no basis."""
    for match in _PER.finditer(text):
        digits = re.sub(r"\D", "", match["count"] or "")
        unit = match["unit"]
        known = unit is not None and fold(unit) in vocabulary("units")
        if digits:
            count = int(digits)
            power = count >= 10 and digits.strip("0") == "1"
            if count and (known or power or (match["word"] and count < 1000)):
                cut = match.end() if known or unit is None else match.start("unit")
                return count, unit if known else None, f"{text[: match.start()]} {text[cut:]}".strip()
        elif known and unit is not None:
            rest = f"{text[: match.start()]} {text[match.end() :]}".strip()
            return None, None if fold(unit) in _GENERIC else unit, rest
    return None, None, text


def basis_of(text: str) -> int | None:
    """How many units a price is for, as a cell says it: "100", "100,00", "per 100", "100 Stk"; a known unit alone
    means one. None for everything else, and for "1.000", which could be one or a thousand."""
    text = text.strip()
    whole, mark, fraction = text.replace(",", ".").partition(".")
    if mark and len(fraction) <= 2 and not fraction.strip("0"):
        text = whole
    if text.isascii() and text.isdigit():
        return int(text) or None if len(text.lstrip("0")) <= 9 else None
    if fold(text) in vocabulary("units"):
        return 1
    if "." in text or "," in text:
        return None
    return take_basis(text if text[:1].isalpha() or text[:1] == "/" else f"per {text}")[0] or None


def basis_in_titles(lines: Iterable[str]) -> int | None:
    """Units that prices are for, where one of the lines above the table says so ("Alle Preise je 100 Stück"); None if
    none or several do."""
    found = set()
    for line in lines:
        count = take_basis(line)[0]
        if count is not None and count > 1 and any(hit.field == "price" for hit in hits(fold(line))):
            found.add(count)
    return found.pop() if len(found) == 1 else None
