"""Reads the price cells of one list into canonical text, or says why not."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from contracts.rows import Cell
from contracts.understanding import NumberFormat
from pipeline.understanding.currency import Sign
from pipeline.understanding.numbers import apply, take_apart
from pipeline.understanding.text import ERROR_CELLS, plain
from pipeline.understanding.words import says_on_request

WHOLE, FRACTION = 12, 6
"""Digits before and behind the decimal point that a price may have."""
CACHED = 50_000

_SIX = Decimal("0.000001")
_LIMIT = Decimal(10) ** WHOLE


class Read(NamedTuple):
    """Exactly one of `price` and `error` is set."""

    price: str | None
    """(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?, decimals as written."""
    error: str | None
    """A reason of contracts/reasons.py."""
    sign: Sign | None = None
    """The currency beside the number."""


_MISSING = Read(None, "price_missing")


class PriceReader:
    """Pure; remembers the texts it has seen, because price lists repeat themselves."""

    def __init__(self, numbers: NumberFormat, *, accept_zero: bool) -> None:
        self._numbers = numbers
        self._accept_zero = accept_zero
        self._seen: dict[str, Read] = {}

    @property
    def expected(self) -> str:
        """How this column writes numbers, for a message."""
        numbers = self._numbers
        if numbers.decimal is None:
            return "no decimals" + (f", “{numbers.thousands}” for thousands" if numbers.thousands else "")
        name = "decimal point" if numbers.decimal == "." else "decimal comma"
        return name + (f", “{numbers.thousands}” for thousands" if numbers.thousands else "")

    def read(self, cell: Cell) -> Read:
        """Text by the column's format; a real number of the source as it is, rounded to 6 decimals (half to even: the
        last digits of a computed cell are noise, and rounding them up would make sums drift)."""
        if cell is None:
            return _MISSING
        if isinstance(cell, str):
            known = self._seen.get(cell)
            if known is None:
                if len(self._seen) >= CACHED:
                    self._seen.clear()
                known = self._seen[cell] = self._text(cell)
            return known
        if isinstance(cell, bool):
            return Read(None, "price_not_a_number")
        return self._number(cell)

    def _number(self, number: Decimal) -> Read:
        if not number.is_finite():
            return Read(None, "price_not_a_number")
        if number < 0:
            return Read(None, "price_negative")
        if number >= _LIMIT:
            return Read(None, "price_too_large")
        return self._sized(plain(number.quantize(_SIX, ROUND_HALF_EVEN)), None)

    def _text(self, cell: str) -> Read:
        text = cell.strip()
        if not text:
            return _MISSING
        decimal = self._numbers.decimal
        whole, mark, fraction = text.partition(decimal) if decimal is not None else (text, "", "")
        if text.isascii() and whole.isdigit() and (fraction.isdigit() if mark else True) and not self._twofold(text):
            return self._sized(f"{whole.lstrip('0') or '0'}.{fraction}" if mark else whole.lstrip("0") or "0", None)
        written = take_apart(text)
        if written is None:
            if text in ERROR_CELLS:
                return Read(None, "error_cell")
            return Read(None, "price_on_request" if says_on_request(text) else "price_not_a_number")
        value = apply(written.body, self._numbers)
        if value is None:
            return Read(None, "price_format")
        if written.negative and value.strip("0."):
            return Read(None, "price_negative")
        return self._sized(value, written.sign)

    def _twofold(self, text: str) -> bool:
        """True where the decimal sign also groups thousands, so that "1,234" must be looked at."""
        return self._numbers.decimal is not None and self._numbers.decimal == self._numbers.thousands and len(text) > 4

    def _sized(self, value: str, sign: Sign | None) -> Read:
        whole, _, fraction = value.partition(".")
        if len(fraction) > FRACTION:
            if fraction[FRACTION:].strip("0"):
                return Read(None, "price_too_precise")
            value = f"{whole}.{fraction[:FRACTION]}"
        if len(whole) > WHOLE:
            return Read(None, "price_too_large")
        if not self._accept_zero and not value.strip("0."):
            return Read(None, "price_zero")
        return Read(value, None, sign)
