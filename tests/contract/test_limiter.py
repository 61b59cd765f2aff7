"""What every RateLimiter must do, on the limiter of one process and on the fleet's in a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from contracts.limiter import RateLimiter
from resilience.rate_limit import Budget, LocalLimiter
from workers.rate_limit import FleetLimiter
from workers.redis_pool import open_redis

WIDE = Budget(calls=40, window=timedelta(hours=1))
"""So slow that nothing flows back while a test runs."""


def budgets(key: str) -> Budget | None:
    return WIDE if key.startswith("limited") else None


@pytest.fixture(params=["local", "fleet"])
async def limiters(request, redis_url) -> AsyncIterator[Callable[[], RateLimiter]]:
    """Makes one limiter after the other, as the processes of one fleet have them."""
    if request.param == "local":
        one = LocalLimiter(budgets, now=time.monotonic)
        yield lambda: one
        return
    redis = open_redis(redis_url, queue_name="limits")
    yield lambda: FleetLimiter(redis, prefix=f"limits-{request.node.name}", budgets=budgets)
    await redis.aclose(close_connection_pool=True)


async def test_what_has_no_budget_never_waits(limiters):
    limiter = limiters()
    assert [await limiter.take("free", 1000) for _ in range(3)] == [timedelta(0)] * 3


async def test_a_quarter_may_be_taken_at_once_and_the_next_one_waits(limiters):
    first, second = limiters(), limiters()
    taken = [await (first if place % 2 else second).take("limited") for place in range(WIDE.calls // 4)]
    assert taken == [timedelta(0)] * len(taken)
    wait = await first.take("limited")
    assert timedelta(0) < wait <= WIDE.window
    assert await second.take("limited") > timedelta(0)


async def test_what_is_refused_takes_nothing(limiters):
    limiter = limiters()
    while not await limiter.take("limited"):
        pass
    waits = [await limiter.take("limited") for _ in range(20)]
    assert max(waits) - min(waits) < WIDE.window / WIDE.calls


async def test_keys_have_budgets_of_their_own(limiters):
    limiter = limiters()
    while not await limiter.take("limited-a"):
        pass
    assert await limiter.take("limited-b") == timedelta(0)


async def test_those_who_ask_at_once_get_no_more_than_there_is(limiters):
    crowd = [limiters() for _ in range(8)]
    waits = await asyncio.gather(*(one.take("limited") for one in crowd for _ in range(5)))
    assert waits.count(timedelta(0)) == WIDE.calls // 4


def test_no_window_sees_more_calls_than_the_budget():
    budget = Budget(calls=100, window=timedelta(seconds=100))
    full_at, now, times = 0, 10**12, []
    while now < 10**12 + 400 * 10**6:
        taken = budget.take(full_at, now, 3)
        if taken.wait:
            now += taken.wait
        else:
            full_at = taken.full_at
            times += [now] * 3
    window = 100 * 10**6
    most = max(sum(start <= at < start + window for at in times) for start in times)
    assert 90 <= most <= budget.calls


async def test_without_redis_each_process_keeps_to_its_part(tmp_path):
    redis = open_redis(f"unix://{tmp_path}/nothing.sock", queue_name="limits")
    limiter = FleetLimiter(redis, prefix="limits", budgets=budgets)
    waits = [await limiter.take("limited") for _ in range(WIDE.calls)]
    await redis.aclose(close_connection_pool=True)
    assert 1 <= waits.count(timedelta(0)) <= WIDE.calls // 10
