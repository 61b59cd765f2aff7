"""Refuses tasks when too many wait already."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from contracts.controls import Controls
from contracts.errors import QueueFull
from contracts.task import ParseTask

BETWEEN_SECONDS = 1.0
"""A count is believed for so long, and for SHARE times as long as it took."""
SHARE = 20.0
RETRY_AFTER = timedelta(seconds=10)


class BackPressure:
    """Counts seldom: between two counts what this process hands in is taken off, so several producers may together
    overshoot by what they hand in within a second."""

    def __init__(self, ledger: Controls, *, most: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._most = most
        self._seconds = seconds
        self._room: dict[str, tuple[int, float]] = {}
        """By queue: how many more, and until when that is believed."""

    async def admit(self, tasks: Sequence[ParseTask]) -> None:
        """QueueFull, and none of them may be handed in; DatabaseUnavailable."""
        for queue, number in Counter(task.queue_name for task in tasks).items():
            room, believed = self._room.get(queue, (0, 0.0))
            began = self._seconds()
            if began >= believed:
                room = await self._ledger.room(queue, most=self._most)
                took = self._seconds() - began
                believed = began + max(BETWEEN_SECONDS, SHARE * took)
            if number > room:
                self._room[queue] = (room, believed)
                raise QueueFull(
                    f"too many tasks wait: {max(room, 0):,} more may be handed in to the queue {queue!r}, "
                    f"this is {number:,}",
                    retry_after=RETRY_AFTER,
                    queue=queue,
                    room=max(room, 0),
                )
            self._room[queue] = (room - number, believed)
