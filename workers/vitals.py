"""What a worker knows of itself without asking anybody: its slots, and when it last heard of its servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Moment = Callable[[], float]
"""Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """Read from any thread."""

    slots: int
    busy: Callable[[], int]
    beat: Moment
    """Of the last answer of PostgreSQL to the heartbeat."""
    poll: Moment
    """Of the last look at the queue that Redis answered."""
    sign: Moment
    """The latest sign of life that the watchdog would accept."""
    patience: float
    """Seconds of silence after which a server counts as away."""
    hang_seconds: float
    """Seconds without a sign of life after which the watchdog ends this process."""
    memory_limit: Callable[[], int | None] = lambda: None
    """Bytes; None = not known."""

    @property
    def alive(self) -> bool:
        return self._within(self.sign, self.hang_seconds)

    @property
    def postgresql(self) -> bool:
        return self._within(self.beat, self.patience)

    @property
    def redis(self) -> bool:
        return self._within(self.poll, self.patience)

    @staticmethod
    def _within(last: Moment, seconds: float) -> bool:
        return time.monotonic() - last() <= seconds
