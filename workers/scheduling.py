"""Starts what schedules say. Every worker ticks; the rows of the slots see to it that each fires once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from config.settings import Settings
from contracts.clock import Clock
from contracts.controls import Controls
from contracts.errors import DatabaseUnavailable, QueueFull
from contracts.queue import Queue
from contracts.schedule import Decision, Fired, Schedule, Schedules, Seen
from observability.logging import get_logger
from workers.handover import send
from workers.schedule import STARTING, due_fires

log = get_logger(__name__)

KEEP = timedelta(days=90)
"""How long it is remembered what became of a slot."""
PRUNE_SECONDS = 3600.0


class Scheduling:
    """One tick after the other."""

    def __init__(
        self,
        *,
        schedules: Schedules,
        ledger: Controls,
        queue: Queue,
        settings: Settings,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._schedules = schedules
        self._ledger = ledger
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._random = random
        self._full: set[str] = set()
        """Queues that took no more tasks when they were last asked; slots for them wait."""
        self._failing: dict[str, str] = {}

    async def tick(self) -> int:
        """One tick; how many tasks it started. Raises DatabaseUnavailable. With Redis away the sweep sends them."""
        ticked = await self._schedules.tick(self._decide)
        for name, error in ticked.failed:
            if self._failing.get(name) != error:
                log.warning("schedule.not_decided", schedule=name, error=error)
        tell(ticked.fired)
        await send([one.delivery for one in ticked.fired if one.delivery is not None], queue=self._queue)
        tasks = [one.firing.task for one in ticked.fired if one.firing.task is not None]
        self._failing = dict(ticked.failed)
        await self._ask_for_room({task.queue_name for task in tasks})
        return len(tasks)

    def _decide(self, schedule: Schedule, seen: Seen) -> Decision:
        queue = schedule.plan.task.queue_name
        if queue in self._full:
            raise QueueFull(f"too many tasks wait in the queue {queue!r}")
        return due_fires(schedule, seen)

    async def _ask_for_room(self, used: set[str]) -> None:
        """Behind a tick, of queues that were used or full: counting costs, and most ticks start nothing. So a fleet may
        overshoot by what one tick starts."""
        for queue in used | self._full:
            if await self._ledger.room(queue, most=self._settings.max_waiting) > 0:
                self._full.discard(queue)
            else:
                self._full.add(queue)

    async def run(self) -> None:
        """Until cancelled; survives an absent PostgreSQL or Redis."""
        pruned = time.monotonic()
        while True:
            try:
                await self.tick()
                if time.monotonic() - pruned > PRUNE_SECONDS:
                    pruned = time.monotonic()
                    await self._schedules.prune(older_than=KEEP)
            except DatabaseUnavailable as error:
                log.warning("schedule.tick_failed", error=str(error))
            # ±25 %, so that the workers of a fleet do not ask all at once.
            await self._clock.sleep(self._settings.schedule_seconds * (0.75 + self._random() / 2))


def tell(fired: Sequence[Fired]) -> None:
    """An event for each slot, and one for each schedule that had a backlog."""
    for name in dict.fromkeys(one.schedule for one in fired):
        own = [one.firing for one in fired if one.schedule == name]
        for firing in own:
            if firing.state in STARTING and firing.task is not None:
                log.info(
                    "schedule.fired",
                    schedule=name,
                    slot=firing.slot.isoformat(),
                    state=firing.state,
                    task_id=firing.task.task_id,
                )
            elif firing.state == "skipped":
                log.info(
                    "schedule.skipped",
                    schedule=name,
                    slot=firing.slot.isoformat(),
                    slots=firing.slots,
                    reason=firing.reason,
                )
        missed = [firing for firing in own if firing.state == "missed"]
        caught_up = sum(firing.state == "caught_up" for firing in own)
        if missed or caught_up:
            log.warning(
                "schedule.backlog",
                schedule=name,
                caught_up=caught_up,
                missed=sum(firing.slots for firing in missed),
                first=(missed[0].first or missed[0].slot).isoformat() if missed else None,
                last=missed[-1].slot.isoformat() if missed else None,
            )
