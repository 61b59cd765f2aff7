"""A list beside what is stored of its supplier: which column holds the known codes, which their prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from difflib import SequenceMatcher

from contracts.rows import Cell, Row
from contracts.store import Current
from contracts.understanding import Column, NumberFormat
from pipeline.drift.agreement import NOTHING, Agreement, compare
from pipeline.stages.cells import Rejected, read_code
from pipeline.understanding.numbers import Ambiguity, collect, decide
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.shape import SHAPED, sketch
from pipeline.understanding.table import Table, could_be_price, is_number
from pipeline.understanding.text import fold, is_blank
from pipeline.understanding.words import vocabulary

ROWS = 500
"""Rows that are compared, spread over the sample."""
SIMILAR = 0.8

Lookup = Callable[[Sequence[str]], Awaitable[Mapping[str, Current]]]

_PREVIOUS = vocabulary("compared_headers.previous")
"""Words of headers whose column may well hold what was the price until now."""
_OTHER_KIND = frozenset().union(
    *(vocabulary(f"price_kinds.{kind}") for kind in ("cost", "wholesale", "promo", "reference", "other"))
)
_NET = vocabulary("compared_headers.without_tax")
_GROSS = vocabulary("compared_headers.with_tax")


class Compared:
    """Asks for current prices as they are needed, each code once."""

    def __init__(self, table: Table, lookup: Lookup, scale: str | None = None) -> None:
        """`scale`: what one of a figure is worth by the profile."""
        self.table = table
        self._scale = scale or "1"
        rows = table.rows()
        step = max(1, len(rows) // ROWS)
        self.rows = rows[::step][:ROWS]
        self._lookup = lookup
        self._current: dict[str, Current | None] = {}
        self._prices: dict[int, list[list[Decimal | None]]] = {}
        self._sketches: dict[int, tuple[int, ...]] = {}

    def cells(self, index: int) -> list[Cell]:
        return _cells(self.rows, index)

    def codes(self, key: Sequence[int], *, all_rows: bool = False) -> list[str]:
        """The key of each row as it would be stored; '' where it has none."""
        rows = self.table.rows() if all_rows else self.rows
        parts = [[_code(cell) for cell in _cells(rows, index)] for index in key]
        return ["|".join(row) if any(row) else "" for row in zip(*parts, strict=True)]

    async def known(self, *keys: Sequence[int]) -> list[float]:
        """For each key the share of its distinct codes that are stored; asks once for all."""
        codes = [set(self.codes(key)) - {""} for key in keys]
        missing = sorted(set().union(*codes) - self._current.keys())
        if missing:
            found = await self._lookup(missing)
            self._current |= {code: found.get(code) for code in missing}
        return [sum(self._current[code] is not None for code in own) / len(own) if own else 0.0 for own in codes]

    def current(self, key: Sequence[int]) -> list[Current | None]:
        """What is stored of each row; `known` must have asked for this key. Rows whose code stands more than once in
        the sample are left out, because one of them only was stored."""
        codes = self.codes(key)
        often = Counter(self.codes(key, all_rows=True))
        found = [self._current.get(code) if often[code] == 1 else None for code in codes]
        return found if any(found) else [self._current.get(code) for code in codes]

    def could_be_keys(self) -> list[int]:
        """Columns whose values mostly differ, so that one could hold codes."""
        found = []
        for index in range(self.table.width):
            texts = [text for text in (_code(cell) for cell in self.cells(index)) if text]
            if len(texts) * 2 >= len(self.rows) and len(set(texts)) * 2 >= len(texts) and max(map(len, texts)) <= 255:
                found.append(index)
        return found

    def could_be_prices(self) -> list[int]:
        """Columns that mostly hold numbers."""
        found = []
        for index in range(self.table.width):
            filled = [cell for cell in self.cells(index) if not is_blank(cell)]
            if sum(map(is_number, filled)) and sum(map(could_be_price, filled)) * 2 >= len(filled):
                found.append(index)
        return found

    def agreement(self, index: int, stored: Sequence[Current | None]) -> Agreement:
        """Of the amounts as they stand or, where that agrees better, of the prices per unit; the best reading counts,
        because which one is right is decided elsewhere."""
        basis = Decimal(self.table.headings[index].basis or 1)
        best = NOTHING
        for prices in self._readings(index):
            pairs = [(new, old) for new, old in zip(prices, stored, strict=True) if new is not None and old is not None]
            for found in (
                compare((new, old.price) for new, old in pairs),
                compare((new / basis, old.price / old.basis) for new, old in pairs),
            ):
                if found.common and found.error < best.error:
                    best = found
        return best

    def format(self, index: int) -> NumberFormat | Ambiguity:
        """How a column writes its numbers, from its own values."""
        return decide(collect(cell for cell in self.cells(index) if isinstance(cell, str)))

    def _readings(self, index: int) -> list[list[Decimal | None]]:
        known = self._prices.get(index)
        if known is None:
            found = self.format(index)
            formats = [found] if isinstance(found, NumberFormat) else [NumberFormat(".", ","), NumberFormat(",", ".")]
            known = self._prices[index] = [self._read(index, way) for way in formats]
        return known

    def _read(self, index: int, way: NumberFormat) -> list[Decimal | None]:
        reader = PriceReader(replace(way, scale=self._scale), accept_zero=True)
        texts = [reader.read(cell).price for cell in self.cells(index)]
        return [None if text is None else Decimal(text) for text in texts]

    def sketch(self, index: int) -> tuple[int, ...]:
        """Of the first rows, as the shape of a list holds it."""
        if index not in self._sketches:
            cells = _cells(self.table.rows()[:SHAPED], index)
            self._sketches[index] = sketch(cell for cell in cells if not is_blank(cell))
        return self._sketches[index]

    def same_values(self, indexes: Sequence[int]) -> bool:
        first, *others = (self.cells(index) for index in indexes)
        return all(other == first for other in others)

    def is_previous(self, index: int) -> bool:
        """True if the header says that this is the price until now."""
        return bool(set(self.table.headings[index].folded.split()) & _PREVIOUS)


def _cells(rows: Sequence[Row], index: int) -> list[Cell]:
    return [row[index] if index < len(row) else None for row in rows]


def _code(cell: Cell) -> str:
    if is_blank(cell):
        return ""
    try:
        return read_code(cell, _KEY)
    except Rejected:
        return ""


_KEY = Column(index=0, header="", field="sku", key=None)


def alike(old: str, new: str) -> bool:
    """True if one header is the other with words added, or nearly the same letters."""
    one, other = fold(old), fold(new)
    if not one or not other:
        return False
    if set(one.split()) <= set(other.split()) or set(other.split()) <= set(one.split()):
        return True
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= SIMILAR


def another_kind(old: str, new: str, *, plain: bool) -> bool:
    """True if the new header of a price says another kind of price than the old one: previous, promotional, gross …
    `plain`: the new header as a whole is a usual word for the price, whatever words it is made of."""
    before, after = set(fold(old).split()), set(fold(new).split())
    marks = _PREVIOUS if plain else _PREVIOUS | _OTHER_KIND
    if (after - before) & marks:
        return True
    return bool((before & _NET and after & _GROSS) or (before & _GROSS and after & _NET))
