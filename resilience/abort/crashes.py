"""Counts crashes that follow each other closely."""

from __future__ import annotations

from collections import deque
from typing import Final

CRASHES: Final = 3
WINDOW: Final = 300.0
"""Seconds."""


class CrashCount:
    """Of one process that is kept alive."""

    def __init__(self, *, limit: int = CRASHES, window: float = WINDOW) -> None:
        self._limit = limit
        self._window = window
        self._times: deque[float] = deque()

    def add(self, now: float) -> bool:
        """True at every `limit`-th crash within `window` seconds; counting then begins anew."""
        self._times.append(now)
        while self._times[0] <= now - self._window:
            self._times.popleft()
        if len(self._times) < self._limit:
            return False
        self._times.clear()
        return True
