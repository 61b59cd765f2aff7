"""Sends again what the ledger says should run and Redis has forgotten."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from config.settings import Settings
from contracts.clock import Clock
from contracts.controls import Controls
from contracts.errors import DatabaseUnavailable, QueueUnavailable
from contracts.queue import Queue
from contracts.store import Ledger
from observability.logging import get_logger

log = get_logger(__name__)

AT_ONCE = 100
"""Deliveries of one sweep, so that a herd of released tasks is let out slowly."""
HURRY = 0.1
"""Share of the pause that is kept while Redis is nearly empty and sweeps still come back full: it has forgotten."""
LIMITED_SECONDS = 0.5
"""Longest pause while anything is limited: a place that is free again is used, and a rate is kept to, that fast."""
SHARE = 4.0
"""A sweep over a long queue takes time; the pause behind it is at least so many times as long."""


class SweptLedger(Ledger, Controls, Protocol):
    """What a sweep needs."""


class Rescue:
    """One sweep after the other. Every worker runs one; the ledger lets one sweep at a time through."""

    def __init__(
        self, *, ledger: SweptLedger, queue: Queue, settings: Settings, clock: Clock, random: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._random = random
        self.last_answer = time.monotonic()
        """Monotonic seconds of the last sweep that PostgreSQL answered."""
        self.answered_since = self.last_answer
        """Monotonic seconds since when it has answered all of them; infinite while it does not."""

    async def sweep(self) -> int:
        """One sweep; how many deliveries were sent. Raises DatabaseUnavailable. With Redis away the swept ones
        are sent by a later sweep, once they are overdue."""
        deliveries = await self._ledger.sweep(
            limit=AT_ONCE,
            redeliver_after=timedelta(seconds=self._settings.redeliver_seconds),
            poison_after=self._settings.poison_after,
        )
        self.last_answer = time.monotonic()
        self.answered_since = min(self.answered_since, self.last_answer)
        if not deliveries:
            return 0
        try:
            await self._queue.deliver(deliveries)
        except QueueUnavailable as error:
            log.warning("delivery.delayed", deliveries=len(deliveries), error=str(error))
            return 0
        log.info("task.rescued", deliveries=len(deliveries))
        return len(deliveries)

    async def run(self) -> None:
        """Until cancelled; survives an absent PostgreSQL or Redis."""
        while True:
            began = time.monotonic()
            forgotten = limited = False
            try:
                limited = await self._ledger.limited()
                forgotten = await self.sweep() >= AT_ONCE and (await self._queue.depth()).waiting <= 2 * AT_ONCE
            except DatabaseUnavailable as error:
                self.answered_since = math.inf
                log.warning("sweep.failed", error=str(error))
            except QueueUnavailable as error:
                log.debug("queue.not_asked", error=str(error))
            pause = self._settings.sweep_seconds * (HURRY if forgotten else 1.0)
            if limited:
                pause = min(pause, LIMITED_SECONDS)
            # ±25 %, so that the workers of a fleet do not ask all at once.
            pause *= 0.75 + self._random() / 2
            await self._clock.sleep(max(pause, SHARE * (time.monotonic() - began)))
