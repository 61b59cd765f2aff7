"""The port to what operators set: pauses, and limits of queues, parsers and sources; both hold for the whole fleet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from contracts.store import ClaimKey

PauseKind = Literal["queue", "supplier", "parser", "source"]
LimitKind = Literal["queue", "parser", "source"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Tasks of it are not started. A source is the host of an address, or google_sheets:CREDENTIAL."""

    kind: PauseKind
    name: str
    by: str
    reason: str = ""
    until: datetime | None = None
    """None = until it is resumed."""
    stop_running: bool = False
    """Running tasks stop behind their chunk, too, without losing an attempt."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`calls` starts in any window of so many seconds. A part of half a second may start at once, because that is how
    often limited tasks are looked at; the rest is spread evenly."""

    calls: int
    seconds: float

    @property
    def burst(self) -> int:
        return max(1, math.ceil(self.calls / self.seconds * 0.5))

    @property
    def each(self) -> float:
        """Seconds between two starts once the burst is spent: burst + the starts within a window are `calls`."""
        return self.seconds / (self.calls - self.burst + 1)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of it may run at once, start in a time, and wait; None = any number."""

    kind: LimitKind
    name: str
    by: str
    concurrency: int | None = None
    rate: Rate | None = None
    max_waiting: int | None = None
    """Of a queue: producers are refused beyond."""


class Controls(Protocol):
    """Each method is one transaction. Raises DatabaseUnavailable."""

    async def pause(self, pause: Pause) -> None:
        """Again changes reason and time."""
        ...

    async def resume(self, kind: PauseKind, name: str) -> bool:
        """False: it was not paused."""
        ...

    async def pauses(self) -> list[Pause]:
        """That hold now, by kind and name."""
        ...

    async def set_limit(self, limit: Limit) -> None:
        """One without any figure takes the limit away."""
        ...

    async def limits(self) -> list[Limit]:
        """By kind and name."""
        ...

    async def snooze(self, task_id: str, until: datetime) -> Literal["snoozed", "running", "ended", "unknown"]:
        """A waiting task, and what stands behind it, waits until then; no attempt is counted. A running one is left."""
        ...

    async def room(self, queue: str, *, most: int) -> int:
        """How many more tasks the queue may take: `most` in all queues together, and its own max_waiting; 0 or less if
        none."""
        ...

    async def limited(self) -> bool:
        """Whether concurrency or rate of anything is limited; then the sweep looks oftener."""
        ...

    async def paused(self, claims: Sequence[ClaimKey]) -> set[ClaimKey]:
        """Which of these running tasks shall stop because of a pause with stop_running."""
        ...

    async def yielding(self, claims: Sequence[ClaimKey], *, slice_: timedelta) -> set[ClaimKey]:
        """Which of these should give their slot up: no slot is free in the fleet, tasks of other suppliers were sent
        and wait, and this one has had its slot for longer than its slice (doubled each time it gave one up) and longer
        than others. No more in the fleet than suppliers wait."""
        ...
