"""A budget of calls: the rule, and the limiter of one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

BURST = 0.25
"""Share of the budget that may be taken at once. The rest flows back over the window, so that no window of that length,
wherever it begins, sees more than the budget; a full bucket that also refills would allow twice as much."""


class Take(NamedTuple):
    """The answer of a budget."""

    wait: int
    """Microseconds; 0 = taken."""
    full_at: int
    """When the bucket will be full again, in microseconds of the clock that was handed in."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`calls` in any `window`."""

    calls: int
    window: timedelta

    def take(self, full_at: int, now: int, cost: int) -> Take:
        """Takes `cost` calls, or tells how long to wait. Pure: a leaky bucket kept as one number (the generic cell
        rate algorithm). A cost above what may be taken at once is let through when the bucket is full."""
        burst = max(1.0, self.calls * BURST)
        each = self.window / timedelta(microseconds=1) / max(self.calls - burst, 1.0)
        begin = max(full_at, now)
        room = round(max(burst, cost) * each)
        after = begin + round(cost * each)
        if after - now > room:
            return Take(after - now - room, full_at)
        return Take(0, after)

    def share(self, parts: int) -> Budget:
        """One of so many equal parts, at least one call."""
        return Budget(max(1, self.calls // parts), self.window)


class LocalLimiter:
    """contracts.limiter.RateLimiter of one process; keys without a budget are unlimited."""

    def __init__(self, budgets: Callable[[str], Budget | None], *, now: Callable[[], float]) -> None:
        """`now` gives monotonic seconds."""
        self._budgets = budgets
        self._now = now
        self._full_at: dict[str, int] = {}

    async def take(self, key: str, cost: int = 1) -> timedelta:
        budget = self._budgets(key)
        if budget is None:
            return timedelta(0)
        taken = budget.take(self._full_at.get(key, 0), round(self._now() * 1e6), cost)
        self._full_at[key] = taken.full_at
        return timedelta(microseconds=taken.wait)
