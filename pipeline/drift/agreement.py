"""How far the prices of a column agree with those that are stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

NEAR, FAR = Decimal("0.05"), Decimal("0.3")
AGREES_NEAR, AGREES_FAR = 0.5, 0.9
"""Shares of the prices that must lie near and not farther than far."""
TELLING = 10
"""Fewer prices than this prove no common movement."""
TOGETHER = 0.13
"""Prices that all rise or fall by this much together are taken for another kind of price until a person says otherwise:
standard rates of value added tax begin there, general price rises rarely reach it."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the codes that are known and have a price in the column; shares are 0..1."""

    common: int
    same: float
    near: float
    far: float
    error: float
    """Median distance, as the absolute logarithm of new by old."""
    ratio: float
    """Median of new by old."""
    together: bool
    """Nine in ten prices moved by nearly this ratio."""
    power: int
    """All prices differ by this power of ten; 0 = they do not."""

    @property
    def agrees(self) -> bool:
        return self.common > 0 and self.near >= AGREES_NEAR and self.far >= AGREES_FAR

    @property
    def shifted(self) -> bool:
        """All prices moved together, as if with tax instead of without."""
        return self.together and self.common >= TELLING and abs(math.log(self.ratio)) >= math.log(1 + TOGETHER)

    @property
    def figures(self) -> str:
        """98.7 % of 412 known prices within 5 %."""
        if not self.common:
            return "no known price to compare with"
        return f"{percent(self.near)} of {self.common:,} known prices within 5 %"


NOTHING = Agreement(0, 0.0, 0.0, 0.0, math.inf, 1.0, False, 0)


def percent(share: float) -> str:
    """One decimal where it says something; never rounded up to everything."""
    value = math.floor(share * 1000) / 10
    return f"{value:.0f} %" if value == int(value) else f"{value:.1f} %"


def compare(pairs: Iterable[tuple[Decimal, Decimal]]) -> Agreement:
    """Of (new, old) prices; a pair with a zero in it says nothing."""
    told = [(new, old) for new, old in pairs if new > 0 and old > 0]
    if not told:
        return NOTHING
    count = len(told)
    ratios = [new / old for new, old in told]
    middle = median(ratios)
    off = [abs(ratio - 1) for ratio in ratios]
    return Agreement(
        common=count,
        same=sum(new == old for new, old in told) / count,
        near=sum(part <= NEAR for part in off) / count,
        far=sum(part <= FAR for part in off) / count,
        error=median(abs(math.log(ratio)) for ratio in ratios),
        ratio=float(middle),
        together=sum(abs(ratio / middle - 1) <= NEAR for ratio in ratios) >= count * AGREES_FAR,
        power=_power(told),
    )


def _power(told: Sequence[tuple[Decimal, Decimal]]) -> int:
    powers = [round(math.log10(new / old)) for new, old in told]
    likely = int(median(powers))
    if not likely or len(told) < 3:
        return 0
    scale = Decimal(10) ** likely
    return likely if sum(abs(new / old / scale - 1) <= FAR for new, old in told) >= len(told) * AGREES_FAR else 0
