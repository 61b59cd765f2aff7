"""Producers are refused when too much waits; what is waited for is counted seldom."""

from __future__ import annotations

import pytest

from contracts.controls import Limit
from contracts.errors import QueueFull
from db.memory import MemoryLedger
from tests.support.ledgers import task
from workers.back_pressure import BackPressure


class Counting(MemoryLedger):
    """Notes how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def room(self, queue: str, *, most: int) -> int:
        self.asked += 1
        return await super().room(queue, most=most)


async def test_no_more_are_admitted_than_may_wait_and_none_of_what_is_too_much() -> None:
    pressure = BackPressure(Counting(), most=5)
    await pressure.admit([task() for _ in range(3)])
    with pytest.raises(QueueFull) as refused:
        await pressure.admit([task() for _ in range(3)])
    assert refused.value.retry_after is not None
    assert refused.value.context == {"queue": "default", "room": 2}
    await pressure.admit([task() for _ in range(2)])


async def test_a_queue_may_have_a_smaller_figure_of_its_own() -> None:
    ledger = Counting()
    await ledger.set_limit(Limit("queue", "bulk", "me", max_waiting=1))
    pressure = BackPressure(ledger, most=5)
    await pressure.admit([task(queue="bulk"), task()])
    with pytest.raises(QueueFull):
        await pressure.admit([task(queue="bulk")])
    await pressure.admit([task()])


async def test_it_counts_once_a_second_at_most_and_seldomer_if_counting_takes_long() -> None:
    now, ledger = [0.0], Counting()
    pressure = BackPressure(ledger, most=5, seconds=lambda: now[0])
    for _ in range(3):
        await pressure.admit([task()])
    assert ledger.asked == 1
    now[0] = 1.5
    await pressure.admit([task()])
    assert ledger.asked == 2


async def test_what_waits_no_longer_makes_room() -> None:
    now, ledger = [0.0], Counting()
    pressure = BackPressure(ledger, most=1, seconds=lambda: now[0])
    (waiting,) = await ledger.register([task()])
    with pytest.raises(QueueFull):
        await pressure.admit([task("b")])
    await ledger.cancel(waiting.task_id, actor="me")
    now[0] = 2.0
    await pressure.admit([task("b")])
