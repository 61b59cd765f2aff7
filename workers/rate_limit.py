"""One budget for the whole fleet, kept in Redis and counted by Redis' clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from arq.connections import ArqRedis
from redis.exceptions import RedisError, WatchError

from observability.logging import get_logger
from resilience.rate_limit import Budget, LocalLimiter

log = get_logger(__name__)

PARTS = 10
"""Into which a budget is split while Redis is away: each process then keeps to its part."""
TRIES = 20


class FleetLimiter:
    """Implements contracts.limiter.RateLimiter. Works without scripts, which the embedded Redis does not allow: the
    bucket is one number, changed under WATCH. Never raises: without Redis a part of the budget is spent here."""

    def __init__(self, redis: ArqRedis, *, prefix: str, budgets: Callable[[str], Budget | None]) -> None:
        self._redis = redis
        self._prefix = prefix
        self._budgets = budgets
        self._alone = LocalLimiter(self._part, now=time.monotonic)

    async def take(self, key: str, cost: int = 1) -> timedelta:
        budget = self._budgets(key)
        if budget is None:
            return timedelta(0)
        try:
            for _ in range(TRIES):
                wait = await self._try(f"{self._prefix}:budget:{key}", budget, cost)
                if wait is not None:
                    return wait
        except (RedisError, OSError) as error:
            log.warning("budget.alone", key=key, error=str(error) or type(error).__name__)
            return await self._alone.take(key, cost)
        return budget.window / budget.calls  # everybody wants it at this moment: the next round is soon

    async def _try(self, name: str, budget: Budget, cost: int) -> timedelta | None:
        """None if another process took from it meanwhile."""
        async with self._redis.pipeline(transaction=True) as pipe:
            try:
                await pipe.watch(name)
                stored = await pipe.get(name)
                seconds, micros = await pipe.time()
                taken = budget.take(int(stored or 0), int(seconds) * 1_000_000 + int(micros), cost)
                if taken.wait:
                    return timedelta(microseconds=taken.wait)
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set(name, taken.full_at, px=budget.window * 2)
                await pipe.execute()
            except WatchError:
                return None
        return timedelta(0)

    def _part(self, key: str) -> Budget | None:
        budget = self._budgets(key)
        return None if budget is None else budget.share(PARTS)
