"""What PostgreSQL says of the fleet as gauges, asked seldom enough that any number of scrapes costs little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Final

from contracts.errors import PricemillError
from db.connection import connect
from db.reports_fleet import FleetFigures, FleetReport
from observability.logging import get_logger
from observability.metrics import Sample
from observability.metrics_catalogue import CATEGORIES, KNOWN

log = get_logger(__name__)

LIMIT_SECONDS: Final = 2.5
"""For connecting and asking together; less than a scrape may take."""
KEPT_SECONDS: Final = 5.0
"""An answer, or that there is none, holds at least so long ..."""
SHARE: Final = 20.0
"""... and at least so many times as long as asking took."""


class FleetGauges:
    """Of one event loop. A connection is opened for each look: a monitored fleet of a hundred workers does not hold a
    hundred connections for it."""

    def __init__(self, database_url: str, *, wait_limit_seconds: float) -> None:
        self._url = database_url
        self._wait_limit = wait_limit_seconds
        self._samples: list[Sample] | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def samples(self) -> list[Sample] | None:
        """None while PostgreSQL does not tell: no gauge is better than a zero that means nothing."""
        async with self._asking:
            began = time.monotonic()
            if began >= self._until:
                self._samples = await self._ask()
                took = time.monotonic() - began
                self._until = began + took + max(KEPT_SECONDS, SHARE * took)
            return self._samples

    async def _ask(self) -> list[Sample] | None:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                connection = await connect(
                    self._url,
                    command_timeout=LIMIT_SECONDS,
                    application_name="pricemill metrics",
                    statement_timeout=LIMIT_SECONDS,
                    default_transaction_read_only="on",
                )
                try:
                    figures = await FleetReport(connection).fleet()
                finally:
                    connection.terminate()
        except (PricemillError, TimeoutError, OSError) as error:
            log.debug("metrics.fleet_not_known", error=str(error) or type(error).__name__)
            return None
        return list(samples_of(figures, wait_limit_seconds=self._wait_limit))


def samples_of(figures: FleetFigures, *, wait_limit_seconds: float) -> Iterator[Sample]:
    """Every state and category is there, with 0 where there is nothing: what appears for the first time looks to
    Prometheus as if it had always been so."""
    for queue in figures.queues:
        for state in KNOWN["task"]:
            yield Sample("queue_tasks", (queue.queue, state), getattr(queue, state))
        yield Sample("queue_oldest_age_seconds", (queue.queue,), queue.oldest_seconds)
        yield Sample("queue_wait_limit_seconds", (queue.queue,), wait_limit_seconds)
        yield Sample("queue_paused", (queue.queue,), float(queue.paused))
    letters = {(queue.queue, category): 0 for queue in figures.queues for category in CATEGORIES}
    letters |= {(dead.queue, dead.category): dead.letters for dead in figures.dead}
    for labels, number in letters.items():
        yield Sample("dead_letters", labels, number)
    oldest = max((dead.oldest_seconds for dead in figures.dead if dead.category != "question"), default=0.0)
    yield Sample("dead_letters_oldest_age_seconds", (), oldest)
    for state in KNOWN["worker"]:
        yield Sample("workers", (state,), figures.workers.get(state, 0))
    for freshness in KNOWN["freshness"]:
        yield Sample("suppliers", (freshness,), figures.suppliers.get(freshness, 0))
    for schedule in figures.schedules:
        if schedule.next_at is not None:
            yield Sample("schedule_next_run_timestamp_seconds", (schedule.name,), schedule.next_at)
        if schedule.succeeded_at is not None:
            yield Sample("schedule_last_success_timestamp_seconds", (schedule.name,), schedule.succeeded_at)
