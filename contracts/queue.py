"""The port to whatever carries deliveries to workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class Delivery(NamedTuple):
    """A nudge to look at one task; losing or doubling it changes nothing in the tables."""

    task_key: int
    task_id: str
    epoch: int
    """The epoch the task had when this was sent; a claim makes it epoch + 1."""
    at: datetime | None
    """Not before; None = now."""
    priority: int
    """0 low, 1 normal, 2 high."""


class Depth(NamedTuple):
    """What waits in the transport (not in the ledger)."""

    waiting: int
    deferred: int


class Queue(Protocol):
    """Raises QueueUnavailable when the transport cannot be reached within its time limit."""

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Idempotent per (task_key, epoch); wakes an idle worker."""
        ...

    async def depth(self) -> Depth: ...

    async def close(self) -> None: ...
