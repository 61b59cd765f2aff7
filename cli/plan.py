"""What a list would do to the prices that hold: counted item by item, and as a whole."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import count, pairwise
from math import log
from typing import TYPE_CHECKING, Any

import orjson

from contracts.band import Amount, Band
from contracts.questions import Question
from pipeline.moves import FEW, MOST, Move, whole_list

if TYPE_CHECKING:
    from contracts.rows import Item
    from contracts.store import Current

Lookup = Callable[[Sequence[str]], Awaitable[Mapping[str, "Current"]]]

KINDS = {
    "new": "new",
    "up": "up",
    "down": "down",
    "otherwise": "per another quantity",
    "stated": "with their currency stated at last",
    "currency": "in another currency or in none",
    "unchanged": "unchanged",
    "held": "held",
    "stale": "older than what holds",
}
"""What may become of an item, and how it reads. One that is told "stated" or "otherwise" costs the same per unit."""
UNSTATED = "XXX"
LARGEST = 5
"""Moves shown one by one."""
LOOKED_AT = 20_000
"""Known items from which the move of the whole list is told."""
EDGES = (-50, -20, -5, 0, 5, 20, 50, 100)
"""Of the histogram, in percent."""


@dataclass(slots=True)
class Plan:
    """Every item of the list is in one of `kinds`; a code that stands twice counts with its last row."""

    band: Band | None
    stale: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    """Items, by the names of KINDS."""
    held: Counter[str] = field(default_factory=Counter)
    """By reason."""
    bins: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 2))
    """Of the changed prices, held ones included: up to the first edge … from the last one on; the middle one = 0 %."""
    missing: int | None = None
    """Items of the last list that this one has not; None if no list is remembered."""
    missing_codes: list[str] = field(default_factory=list)
    returned: int = 0
    """Known items that the last list had not."""
    shapes: list[str] = field(default_factory=list)
    """What happened to the list as a whole, each a sentence."""
    question: Question | None = None
    """For which the whole list would wait."""
    _moves: list[Move] = field(default_factory=list)
    _largest: list[tuple[float, int, Move, str | None]] = field(default_factory=list)
    _turn: count[int] = field(default_factory=count)
    _kind_of: dict[int, tuple[str, str | None, int | None]] = field(default_factory=dict)
    """Kind, reason and bin, by key hash."""
    _known: set[int] = field(default_factory=set)
    _others: Counter[str] = field(default_factory=Counter)
    """How often another column of the list holds the price that holds now."""
    _kept: int = 0

    @property
    def largest(self) -> list[tuple[Move, str | None]]:
        """With the reason for which it would be held."""
        return [(move, reason) for _, _, move, reason in sorted(self._largest, reverse=True)]

    async def add(self, items: Sequence[Item], lookup: Lookup) -> None:
        """Items of the next chunk, in the order of the list."""
        current = await lookup([item.sku for item in items])
        for item in items:
            old = current.get(item.sku)
            new = Amount(Decimal(item.price), item.currency, Decimal(item.price_basis))
            self._place(item, None if old is None else Move(item.sku, Amount(*old[1:]), new))

    def _place(self, item: Item, move: Move | None) -> None:
        before = self._kind_of.get(item.key_hash)
        if before is not None:
            self._count(before, -1)
        kind, reason, ratio = self._judge(move)
        place = None if ratio is None or kind in {"new", "unchanged", "stated", "stale"} else bin_of(ratio)
        self._kind_of[item.key_hash] = (kind, reason, place)
        self._count((kind, reason, place), 1)
        if move is None:
            return
        self._known.add(item.key_hash)
        if len(self._moves) < LOOKED_AT:
            self._moves.append(move)
            self._look_aside(item, move)
        if place is not None and ratio:
            entry = (abs(log(ratio)), next(self._turn), move, reason)
            (heapq.heappush if len(self._largest) < LARGEST else heapq.heappushpop)(self._largest, entry)

    def _judge(self, move: Move | None) -> tuple[str, str | None, float | None]:
        if move is None:
            return "new", None, None
        if self.stale:
            return "stale", None, None
        if move.old == move.new:
            return "unchanged", None, None
        reason = None if self.band is None else self.band.reason(move.old, move.new)
        return "held" if reason else _moved(move), reason, move.ratio

    def _count(self, what: tuple[str, str | None, int | None], number: int) -> None:
        kind, reason, place = what
        self.kinds[kind] += number
        if reason is not None:
            self.held[reason] += number
        if place is not None:
            self.bins[place] += number

    def _look_aside(self, item: Item, move: Move) -> None:
        self._kept += move.old.price == move.new.price
        for name, value in orjson.loads(item.characteristics).items():
            if _number(value) == move.old.price:
                self._others[name] += 1

    def finish(self, seen: Any, named: Any, last: Any, cut: Decimal) -> list[int]:
        """`seen`, `last`: sorted key hashes of this list and the last one (None: there is none), `named`: of codes that
        only rejected rows have. Answers the hashes of missing items."""
        import numpy as np

        if not self.stale:
            self._shapes()
        if last is None:
            return []
        missing: list[int] = np.setdiff1d(last, np.concatenate((seen, named)), assume_unique=True).tolist()
        self.missing = len(missing)
        self.returned = len(self._known.difference(last.tolist()))
        items = len(seen) + int(np.isin(named, last).sum())
        if items < cut * len(last):
            self.shapes.append(f"the list may be cut: it has {items:,} items, the last one had {len(last):,}")
        return missing

    def _shapes(self) -> None:
        known = len(self._moves)
        for name, number in self._others.most_common(1):
            if known >= FEW and number >= MOST * known and self._kept < known / 2:
                sentence = f"columns may be swapped: “{name}” holds {number:,} of the {known:,} prices that hold now"
                self.shapes.append(sentence)
        shape = whole_list(self._moves, of="changed")
        if shape is not None:
            self.shapes.append(shape.sentence)

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            **{kind: self.kinds[kind] for kind in KINDS},
            "held_reasons": {reason: number for reason, number in sorted(self.held.items()) if number},
            "missing": self.missing,
            "missing_codes": self.missing_codes,
            "returned": self.returned,
            "histogram": [{"percent": label, "items": number} for label, number in zip(LABELS, self.bins, strict=True)],
            "largest": [
                {"sku": move.sku, "old": move.old._asdict(), "new": move.new._asdict(), "held": reason}
                for move, reason in self.largest
            ],
            "shapes": self.shapes,
            "question": None if self.question is None else self.question.sentence,
            "answers": [] if self.question is None else self.question.document()["options"],
        }


LABELS = (
    f"<= {EDGES[0]}",
    *(f"{low} .. {high}" for low, high in pairwise(EDGES[:4])),
    "0",
    *(f"{low} .. {high}" for low, high in pairwise(EDGES[3:])),
    f">= {EDGES[-1]}",
)


def _moved(move: Move) -> str:
    old, new = move.old, move.new
    if UNSTATED not in {old.currency, new.currency} and old.currency != new.currency:
        return "currency"
    was, now = old.price * new.basis, new.price * old.basis
    if now != was:
        return "up" if now > was else "down"
    if old.currency == new.currency:
        return "otherwise"
    return "stated" if old.currency == UNSTATED else "currency"


def bin_of(ratio: float) -> int:
    """Place in the histogram. An edge belongs to the bin farther from 0 %; what is 0 % to a millionth has its own."""
    percent = round((ratio - 1) * 100, 6)
    middle = EDGES.index(0) + 1
    if percent == 0:
        return middle
    if percent < 0:
        return sum(percent > edge for edge in EDGES[: middle - 1])
    return middle + 1 + sum(percent >= edge for edge in EDGES[middle:])


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return Decimal(str(value).replace(",", "."))
    except InvalidOperation:
        return None
