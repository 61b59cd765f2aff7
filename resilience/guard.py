"""Asked between chunks: may this run go on?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any, Protocol

from contracts.errors import LeaseLost, RunCancelled, RunPaused, RunReleased, RunYielded, TimeLimitExceeded


class Guard(Protocol):
    """Returns, or raises what ends the attempt. Asked behind a commit, so that nothing is lost by raising.
    `progress` is what the asker knows of the run so far; a guard that needs nothing of it ignores it."""

    def check(self, progress: Any) -> None: ...


class StoppingGuard:
    """RunReleased once the worker wants to stop."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping

    def check(self, progress: Any) -> None:
        if self._stopping():
            raise RunReleased


class PauseGuard:
    """RunPaused once its queue, supplier, parser or source is paused and running tasks shall stop, too."""

    def __init__(self, paused: Callable[[], bool]) -> None:
        self._paused = paused

    def check(self, progress: Any) -> None:
        if self._paused():
            raise RunPaused


class YieldGuard:
    """RunYielded once other suppliers wait for the slot."""

    def __init__(self, yields: Callable[[], bool]) -> None:
        self._yields = yields

    def check(self, progress: Any) -> None:
        if self._yields():
            raise RunYielded


class CancelGuard:
    """RunCancelled once an operator asked for it."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled

    def check(self, progress: Any) -> None:
        if self._cancelled():
            raise RunCancelled


class LeaseGuard:
    """LeaseLost once the heartbeat learned that another worker holds the task."""

    def __init__(self, lost: Callable[[], bool]) -> None:
        self._lost = lost

    def check(self, progress: Any) -> None:
        if self._lost():
            raise LeaseLost


class TimeLimitGuard:
    """TimeLimitExceeded once `limit` has passed since the guard was made; works while the event loop was held."""

    def __init__(self, limit: timedelta, *, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._limit = limit
        self._ends = seconds() + limit.total_seconds()

    def check(self, progress: Any) -> None:
        if self._seconds() >= self._ends:
            raise TimeLimitExceeded(f"the run took longer than {self._limit.total_seconds():g} s")
