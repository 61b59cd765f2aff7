"""The sweep loop: what the ledger names is sent again, at a pace that neither starves nor floods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from config.settings import Settings
from contracts.errors import DatabaseUnavailable, QueueUnavailable
from contracts.queue import Delivery, Depth
from contracts.task import ParseTask
from db.memory import MemoryLedger
from workers.delivery import InlineQueue
from workers.rescue import AT_ONCE, Rescue


class Enough(Exception):
    """Ends the loop under test."""


class PacedClock:
    """Notes how long the loop wants to sleep, and ends it after some rounds."""

    def __init__(self, rounds: int) -> None:
        self.pauses: list[float] = []
        self._rounds = rounds

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= self._rounds:
            raise Enough
        await asyncio.sleep(0)


class AwayQueue(InlineQueue):
    """A queue that cannot be reached."""

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        raise QueueUnavailable

    async def depth(self) -> Depth:
        raise QueueUnavailable


class AwayLedger(MemoryLedger):
    """A ledger that cannot be reached."""

    async def sweep(
        self, *, limit: int = 100, redeliver_after: timedelta = timedelta(0), poison_after: int = 3
    ) -> list[Delivery]:
        raise DatabaseUnavailable


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, sweep_seconds=2.0)


async def registered(ledger: MemoryLedger, count: int) -> None:
    await ledger.register(
        [
            ParseTask(parser_type="csv", supplier_name=f"s{number}", source_config={"file_path": "a.csv"})
            for number in range(count)
        ]
    )


async def pauses(
    settings: Settings,
    ledger: MemoryLedger,
    queue: InlineQueue,
    *,
    rounds: int = 1,
    random: Callable[[], float] = lambda: 0.5,
) -> list[float]:
    clock = PacedClock(rounds)
    rescue = Rescue(ledger=ledger, queue=queue, settings=settings, clock=clock, random=random)
    with pytest.raises(Enough):
        await rescue.run()
    return clock.pauses


async def test_what_was_never_sent_is_sent(settings: Settings) -> None:
    ledger, queue = MemoryLedger(), InlineQueue()
    await registered(ledger, 3)
    await pauses(settings, ledger, queue)
    assert (await queue.depth()).waiting == 3


async def test_sweeps_of_a_fleet_are_spread(settings: Settings) -> None:
    (shortest,) = await pauses(settings, MemoryLedger(), InlineQueue(), random=lambda: 0.0)
    (longest,) = await pauses(settings, MemoryLedger(), InlineQueue(), random=lambda: 1.0)
    assert (shortest, longest) == (0.75 * settings.sweep_seconds, 1.25 * settings.sweep_seconds)


async def test_a_redis_that_has_forgotten_much_is_filled_again_faster(settings: Settings) -> None:
    ledger, queue = MemoryLedger(), InlineQueue()
    await registered(ledger, 2 * AT_ONCE)
    first, _, third = await pauses(settings, ledger, queue, rounds=3)
    assert first < settings.sweep_seconds / 2
    assert third == settings.sweep_seconds, "nothing was left to send"


async def test_a_long_queue_that_redis_still_knows_is_not_swept_faster(settings: Settings) -> None:
    ledger, queue = MemoryLedger(), InlineQueue()
    await registered(ledger, 2 * AT_ONCE)
    await queue.deliver([Delivery(key, f"t{key}", 0, None, 1) for key in range(10_000, 10_000 + 3 * AT_ONCE)])
    (pause,) = await pauses(settings, ledger, queue)
    assert pause == settings.sweep_seconds


@pytest.mark.parametrize(("ledger", "queue"), [(AwayLedger, InlineQueue), (MemoryLedger, AwayQueue)])
async def test_the_loop_survives_an_absent_server(
    settings: Settings, ledger: type[MemoryLedger], queue: type[InlineQueue]
) -> None:
    remembered = ledger()
    await registered(remembered, 1)
    assert len(await pauses(settings, remembered, queue(), rounds=3)) == 3
