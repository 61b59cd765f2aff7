"""What the watchdog takes for life: with PostgreSQL back, the heartbeat has as long as the sweep has been answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from config.settings import Settings
from contracts.clock import SystemClock
from contracts.errors import DatabaseUnavailable
from contracts.queue import Delivery
from db.memory import MemoryLedger
from workers import fleet
from workers.delivery import InlineQueue
from workers.rescue import Rescue

BEGAN = 1_000.0


class MovedTime:
    """time.monotonic() as the test says."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> float:
        return self.now


class SometimesAway(MemoryLedger):
    away = False

    async def sweep(
        self, *, limit: int = 100, redeliver_after: timedelta = timedelta(0), poison_after: int = 3
    ) -> list[Delivery]:
        if self.away:
            raise DatabaseUnavailable
        return []


class Enough(Exception):
    """Ends the loop of the sweep."""


class Once(SystemClock):
    async def sleep(self, seconds: float) -> None:
        raise Enough


@dataclass
class Beats:
    last_beat: float = BEGAN

    def running(self) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError


@dataclass
class Polls:
    last_poll: float = BEGAN


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Iterator[MovedTime]:
    clock = MovedTime()
    monkeypatch.setattr(time, "monotonic", clock)
    yield clock
    monkeypatch.undo()


async def test_a_worker_is_not_hung_because_the_sweep_hears_first_that_postgresql_is_back(moved: MovedTime) -> None:
    ledger, beats, polls = SometimesAway(), Beats(), Polls()
    rescue = Rescue(
        ledger=ledger, queue=InlineQueue(), settings=Settings(_env_file=None), clock=Once(), random=lambda: 0.5
    )
    pulse = fleet._Pulse(leases=beats, waking=polls, rescue=rescue)
    ledger.away = True
    with pytest.raises(Enough):
        await rescue.run()
    moved.now += 2 * fleet.HANG_SECONDS
    ledger.away, polls.last_poll, pulse._ticked = False, moved.now, moved.now
    await rescue.sweep()
    assert pulse.signs_of_life() == moved.now
    moved.now += fleet.HANG_SECONDS + 1
    polls.last_poll = pulse._ticked = moved.now
    await rescue.sweep()
    assert pulse.signs_of_life() == beats.last_beat, "the heartbeat has ended for good"
    beats.last_beat = moved.now
    assert pulse.signs_of_life() == moved.now
