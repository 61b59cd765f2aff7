"""How the prices of a list moved as a whole: by a power of ten, by one percentage, into another currency."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Literal, NamedTuple

from contracts.band import Amount

FEW = 20
"""Fewer known items than this say nothing of a whole list."""
MOST = 0.8
NEARLY_ALL = 0.9
_NEAR = 0.05
"""In powers of ten: what still counts as the same one (12 %)."""


class Move(NamedTuple):
    """One known item: what holds, and what the list says."""

    sku: str
    old: Amount
    new: Amount

    @property
    def ratio(self) -> float | None:
        """Of the prices of one unit; None where one is 0."""
        if not self.old.price or not self.new.price:
            return None
        return float(self.new.price / self.new.basis / (self.old.price / self.old.basis))


@dataclass(frozen=True, slots=True)
class Shape:
    """What has happened to most of a list at once."""

    code: Literal["power_of_ten", "currency", "percent"]
    factor: Decimal
    currency: str | None
    """The new one, if it is another."""
    items: int
    """To which it happened."""
    of: int
    sentence: str


def whole_list(moves: Sequence[Move], *, of: Literal["known", "changed"] = "known") -> Shape | None:
    """`moves` of all known items, unchanged ones included. The shares are of these, or only of the changed ones.
    A percentage is looked for among the changed ones only."""
    changed = [move for move in moves if move.old != move.new]
    base = moves if of == "known" else changed
    if len(base) < FEW:
        return None
    return (
        _currency(changed, len(base)) or _power(changed, len(base)) or (_percent(changed) if of == "changed" else None)
    )


def _currency(changed: Sequence[Move], of: int) -> Shape | None:
    swaps = Counter(
        (move.old.currency, move.new.currency)
        for move in changed
        if move.old.currency not in {move.new.currency, "XXX"} and move.new.currency != "XXX"
    )
    if not swaps:
        return None
    (before, now), count = swaps.most_common(1)[0]
    if count < MOST * of:
        return None
    ratios = [
        ratio
        for move in changed
        if (move.old.currency, move.new.currency) == (before, now) and (ratio := move.ratio) is not None
    ]
    factor = Decimal(f"{median(ratios):.4g}") if ratios else Decimal(1)
    sentence = f"{count:,} of {of:,} prices are in {now} that were in {before}, about {factor:f} times the figure"
    return Shape("currency", factor, now, count, of, sentence)


def _power(changed: Sequence[Move], of: int) -> Shape | None:
    powers: Counter[int] = Counter()
    for move in changed:
        ratio = move.ratio
        if ratio is None:
            continue
        exponent = math.log10(ratio)
        if round(exponent) and abs(exponent - round(exponent)) <= _NEAR:
            powers[round(exponent)] += 1
    if not powers:
        return None
    power, count = powers.most_common(1)[0]
    if count < MOST * of:
        return None
    factor = Decimal(10) ** power
    told = f"{10**power:,} times what they were" if power > 0 else f"a {10**-power:,}th of what they were"
    return Shape("power_of_ten", factor, None, count, of, f"{count:,} of {of:,} prices are {told}")


def _percent(changed: Sequence[Move]) -> Shape | None:
    pairs = [(move, ratio) for move in changed if (ratio := move.ratio) is not None]
    if len(pairs) < FEW:
        return None
    middle = median(ratio for _, ratio in pairs)
    if math.isclose(middle, 1, rel_tol=1e-6):
        return None  # another quantity, or a currency that is stated at last: the price of one unit stayed
    count = sum(_follows(move, middle) for move, _ in pairs)
    if count < NEARLY_ALL * len(changed):
        return None
    percent = (middle - 1) * 100
    sentence = f"{count:,} of {len(changed):,} changed prices moved by the same {percent:+.4g} %"
    return Shape("percent", Decimal(f"{middle:.6g}"), None, count, len(changed), sentence)


def _follows(move: Move, factor: float) -> bool:
    """Within what rounding to the last digit stated leaves open."""
    expected = float(move.old.price / move.old.basis * move.new.basis) * factor
    exponent = move.new.price.normalize().as_tuple().exponent
    digit = 10.0 ** min(exponent if isinstance(exponent, int) else 0, -2)
    return abs(float(move.new.price) - expected) <= digit + expected * 0.0005
