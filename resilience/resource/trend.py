"""Whether the memory of a process grows without end: a line through its last hour."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

SAMPLES: Final = 120
"""An hour at the usual interval."""
FEWEST: Final = 20
SHORTEST: Final = 600.0
"""Seconds that the samples must span."""
WARM_UP: Final = 300.0
"""Seconds of life that do not count: a process fills its caches first."""
LEAK: Final = 100_000_000.0
"""Bytes an hour."""
CERTAIN: Final = 0.7
"""Share of the variance that the line must explain."""


class Trend(NamedTuple):
    per_hour: float
    """Bytes."""
    certainty: float
    """0 to 1: R² of the line."""

    @property
    def leak(self) -> bool:
        return self.per_hour >= LEAK and self.certainty >= CERTAIN


class Growth:
    """The resident memory of one process, look by look."""

    def __init__(self, started: float) -> None:
        """`started`: seconds of the same clock as those of add()."""
        self._started = started
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)

    def add(self, at: float, size: int) -> None:
        if at - self._started >= WARM_UP:
            self._samples.append((at, float(size)))

    def trend(self) -> Trend | None:
        """None while there is too little to say anything."""
        samples = self._samples
        if len(samples) < FEWEST or samples[-1][0] - samples[0][0] < SHORTEST:
            return None
        middle_t = sum(at for at, _ in samples) / len(samples)
        middle_s = sum(size for _, size in samples) / len(samples)
        spread_t = sum((at - middle_t) ** 2 for at, _ in samples)
        spread_s = sum((size - middle_s) ** 2 for _, size in samples)
        together = sum((at - middle_t) * (size - middle_s) for at, size in samples)
        if spread_s == 0:
            return Trend(0.0, 0.0)
        return Trend(together / spread_t * 3_600, together**2 / (spread_t * spread_s))
