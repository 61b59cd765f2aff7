"""How long a claimed task was due, held against PostgreSQL and its twin in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from contracts.outcome import Snooze
from contracts.store import Claim
from tests.support.ledgers import LEASE, Bench, MemoryBench, postgres_bench, task


@pytest.fixture(params=["postgres", "memory"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        yield MemoryBench()
        return
    async with postgres_bench(request.getfixturevalue("database_url")) as opened:
        yield opened


async def test_a_claim_tells_since_when_its_task_was_due_and_not_since_it_was_registered(bench: Bench) -> None:
    (registered,) = await bench.ledger.register([task()])
    assert registered.delivery is not None
    await bench.advance(40)
    first = await bench.ledger.claim(registered.delivery, worker="w", lease=LEASE)
    assert isinstance(first, Claim)
    assert 40 <= first.waited_seconds < 60
    (again,) = await bench.ledger.settle(first, Snooze(at=bench.now() + timedelta(seconds=30), reason="throttled"))
    await bench.advance(45)
    second = await bench.ledger.claim(again, worker="w", lease=LEASE)
    assert isinstance(second, Claim)
    assert 10 <= second.waited_seconds < 35
