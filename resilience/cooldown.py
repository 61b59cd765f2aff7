"""Lets something happen at most so often: once within a pause, and so many times an hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

HOUR: Final = 3_600.0


class Cooldown:
    """Of one process; what has the same key shares one count."""

    def __init__(self, *, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._times: dict[str, deque[float]] = {}

    def take(self, key: str, *, pause: float, per_hour: int) -> bool:
        """True, and counted, unless it happened within `pause` seconds or `per_hour` times in the last hour."""
        now = self._seconds()
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - HOUR:
            times.popleft()
        if len(times) >= per_hour or (times and times[-1] > now - pause):
            return False
        times.append(now)
        return True
