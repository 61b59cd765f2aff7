"""Reads the price cells of one list into canonical text, or says why not."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from contracts.rows import Cell
from contracts.understanding import NumberFormat
from pipeline.understanding.currency import Sign
from pipeline.understanding.numbers import apply
from pipeline.understanding.refusals import why_no_price, why_unfit
from pipeline.understanding.text import ERROR_CELLS, fold, is_blank, plain
from pipeline.understanding.words import says_on_request
from pipeline.understanding.written import Written, take_apart

WHOLE, FRACTION = 12, 6
"""Digits before and behind the decimal point that a price may have."""
CACHED = 50_000

_SIX = Decimal("0.000001")
_LIMIT = Decimal(10) ** WHOLE
_DIGIT = re.compile("[0-9]")
_LOOKALIKES = re.compile(r"(?<![^\W_])[0-9OoОоlI|]+(?:[.,' ][0-9OoОоlI|]+)*(?![^\W_])")
_DIGITS = str.maketrans("OoОоlI|", "0000111")


class Read(NamedTuple):
    """Exactly one of `price` and `error` is set."""

    price: str | None
    """(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?, decimals as written."""
    error: str | None
    """A reason of contracts/reasons.py."""
    sign: Sign | None = None
    """The currency beside the number."""
    basis: int | None = None
    """Units the price is for, where the cell says so."""
    unit: str | None = None
    note: str = ""
    """A footnote mark behind the price."""


_MISSING = Read(None, "price_missing")


class PriceReader:
    """Pure; remembers the texts it has seen, because price lists repeat themselves."""

    def __init__(
        self,
        numbers: NumberFormat,
        *,
        accept_zero: bool,
        letters_as_digits: bool = False,
        on_request: Collection[str] = (),
    ) -> None:
        """`on_request`: folded texts that say there is no fixed price, beside those everybody uses."""
        self._numbers = numbers
        self._scale = Decimal(numbers.scale) if numbers.scale != "1" else None
        self._accept_zero = accept_zero
        self._letters = letters_as_digits
        self._on_request = frozenset(on_request)
        self._seen: dict[str, Read] = {}

    @property
    def expected(self) -> str:
        """How this column writes numbers, for a message."""
        numbers = self._numbers
        thousands = f", “{numbers.thousands}” for thousands" if numbers.thousands else ""
        if numbers.decimal is None:
            return f"no decimals{thousands}"
        places = "" if numbers.three else " before at most two digits"
        return f"decimal {'point' if numbers.decimal == '.' else 'comma'}{places}{thousands}"

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
        if self._scale is not None:
            number *= self._scale
        if number >= _LIMIT:
            return Read(None, "price_too_large")
        return self._sized(plain(number.quantize(_SIX, ROUND_HALF_EVEN)))

    def _text(self, cell: str) -> Read:
        text = cell.strip()
        if not text:
            return _MISSING
        decimal = self._numbers.decimal
        whole, mark, fraction = text.partition(decimal) if decimal is not None else (text, "", "")
        if text.isascii() and whole.isdigit() and (fraction.isdigit() if mark else True) and not self._doubtful(text):
            value = f"{whole.lstrip('0') or '0'}.{fraction}" if mark else whole.lstrip("0") or "0"
            return self._sized(self._scaled(value))
        written = take_apart(text)
        if written is None and self._letters and (digits := letters_as_digits(text)) != text:
            written = take_apart(digits)
        if written is None:
            return Read(None, self._no_number(text))
        amount = self._value(written)
        if amount is None:
            return Read(None, why_unfit(written.body))
        if written.negative and amount.strip("0."):
            return Read(None, "price_negative")
        read = self._sized(self._scaled(amount))
        if read.price is None:
            return read
        return Read(read.price, None, written.sign, written.basis, written.unit, written.note)

    def _scaled(self, value: str) -> str:
        return value if self._scale is None else plain(Decimal(value) * self._scale)

    def _no_number(self, text: str) -> str:
        if text in ERROR_CELLS:
            return "error_cell"
        if is_blank(text):
            return "price_missing"
        if says_on_request(text) or (self._on_request and fold(text) in self._on_request):
            return "price_on_request"
        return why_no_price(text)

    def _value(self, written: Written) -> str | None:
        """Without the decimals that a dash stands for."""
        if written.cents is None or written.body.isdigit():
            return apply(written.body, self._numbers)
        value = apply(written.full, self._numbers)
        return None if value is None else value.removesuffix(".00")

    def _doubtful(self, text: str) -> bool:
        """True where "1,234" must be looked at, because its comma may group thousands."""
        numbers = self._numbers
        return (
            numbers.decimal is not None
            and len(text) > 4
            and (numbers.decimal == numbers.thousands or not numbers.three)
        )

    def _sized(self, value: str) -> Read:
        whole, _, fraction = value.partition(".")
        if len(fraction) > FRACTION:
            if fraction[FRACTION:].strip("0"):
                return Read(None, "price_too_precise")
            value = f"{whole}.{fraction[:FRACTION]}"
        if len(whole) > WHOLE:
            return Read(None, "price_too_large")
        if not self._accept_zero and not value.strip("0."):
            return Read(None, "price_zero")
        return Read(value, None)


def letters_as_digits(text: str) -> str:
    """With O, l and I (and Cyrillic О) as 0 and 1 in words of nothing but these, digits and separators, which hold a
    digit."""
    return _LOOKALIKES.sub(lambda match: match[0].translate(_DIGITS) if _DIGIT.search(match[0]) else match[0], text)
