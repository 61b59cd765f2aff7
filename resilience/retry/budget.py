"""Keeps retries from multiplying the load on a neighbour that is in trouble."""

from __future__ import annotations

from typing import Final

RESERVE: Final = 10
"""Retries that a process may make before it has made that many calls."""
MOST: Final = 100
"""Retries that can be saved up; a long good time is no licence for a storm."""


class RetryBudget:
    """Of one process: there are never more retries than calls and the reserve together, so that under lasting failure
    the total is about twice the calls, whatever their policies allow."""

    def __init__(self, *, reserve: int = RESERVE, most: int = MOST) -> None:
        self._left = reserve
        self._most = max(reserve, most)

    def earn(self) -> None:
        """A call begins; its retries are none."""
        self._left = min(self._left + 1, self._most)

    def spend(self) -> bool:
        """False: no retry now."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
