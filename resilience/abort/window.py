"""What the last operations of a run came to, and how likely that is where nothing is wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p, pi
from typing import Final, Literal, NamedTuple

REMEMBERED: Final = 1_000
"""Samples kept of a run, for its trend."""
RISING: Final = 1.2
FALLING: Final = 0.8
"""Rate of the recent half over that of the older half."""

Trend = Literal["increasing", "decreasing", "steady", "unknown"]


class Sample(NamedTuple):
    """Some operations in a row: `failed` of `total`."""

    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest samples of a run, as few as reach the size of a window."""

    total: int
    failed: int

    @property
    def rate(self) -> float:
        return self.failed / self.total if self.total else 0.0


class History:
    """The samples of one run, in order."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=REMEMBERED)

    def add(self, sample: Sample) -> None:
        """Samples without an operation say nothing and are left out."""
        if sample.total > 0:
            self._samples.append(sample)

    def window(self, size: int) -> Seen:
        """The newest samples that together hold at least `size` operations; all, if there are fewer."""
        total = failed = 0
        for sample in reversed(self._samples):
            total += sample.total
            failed += sample.failed
            if total >= size:
                break
        return Seen(total, failed)

    def last_run(self) -> Seen:
        """The newest samples of which every operation failed, back to the last one that had a good one."""
        total = 0
        for sample in reversed(self._samples):
            if sample.failed < sample.total:
                break
            total += sample.total
        return Seen(total, total)

    def trend(self) -> Trend:
        """Of the recent half of the samples against the older one."""
        samples = list(self._samples)
        if len(samples) < 2:
            return "unknown"
        older, recent = _rate(samples[: len(samples) // 2]), _rate(samples[len(samples) // 2 :])
        if recent > older * RISING:
            return "increasing"
        return "decreasing" if recent < older * FALLING else "steady"


def _rate(samples: Sequence[Sample]) -> float:
    return sum(sample.failed for sample in samples) / sum(sample.total for sample in samples)


def chance(total: int, failed: int, *, background: float, cluster: int) -> float:
    """The probability of so many failures or more among `total` operations where each fails with `background` and
    failures come in clusters of `cluster`: the upper tail of a binomial distribution of total / cluster clusters.
    0 < background < 1."""
    n, k = total // cluster, failed // cluster
    if k <= 0:
        return 1.0
    odds = background / (1 - background)
    term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(background) + (n - k) * log1p(-background))
    tail = 0.0
    for at in range(k, n + 1):
        tail += term
        term *= (n - at) / (at + 1) * odds
        if term < tail * 1e-12:
            break
    return min(tail, 1.0)


def allowance(risk: float, look: int) -> float:
    """What of `risk` may be spent at the `look`-th look (1, 2, …) at a run: the parts of all looks add up to `risk`,
    however long the run is."""
    return risk * 6 / (pi * look) ** 2
