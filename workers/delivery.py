"""Carries deliveries: ArqQueue through Redis as arq jobs, InlineQueue inside one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Protocol

from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from redis.exceptions import RedisError

from contracts.clock import Clock, SystemClock
from contracts.errors import QueueUnavailable
from contracts.queue import Delivery, Depth
from workers.redis_pool import to_json

JOB: Final = "parse"
"""Name of the one arq function."""
SLICE: Final = 2_000
"""Deliveries in one transaction; a larger one would keep other clients of Redis waiting."""
TOKENS: Final = 32
"""At most so many wake-ups wait; a worker that wakes looks at the queue itself, whatever their number."""
HEADSTART: Final = (-10_000, 0, 1_000_000)
"""By priority: how many places a task starts ahead of the normal ones registered at the same moment. Bounded, so
that a low task is overtaken by at most 10,000 later ones and a normal one by a million."""
URGENT: Final = 2
LAST_IMMEDIATE: Final = 1_000_000_000_000.0
"""Scores below are places in line, scores above are milliseconds since 1970 (this one is in 2001)."""


class Executor(Protocol):
    """What a delivery is handed to."""

    async def execute(self, delivery: Delivery) -> list[Delivery]:
        """Never raises but for cancellation. Returns what should be delivered next."""
        ...


def score(delivery: Delivery) -> float:
    """The place in the queue; lowest first. What is due now is ordered by the ledger's own sequence and stands in
    the past of every clock, so no producer's or worker's clock can delay it or let it overtake."""
    if delivery.at is not None:
        return max(LAST_IMMEDIATE, delivery.at.timestamp() * 1000)
    return min(float(delivery.task_key - HEADSTART[delivery.priority]), LAST_IMMEDIATE - 1)


def in_turn(deliveries: Sequence[Delivery], seconds: float) -> list[Delivery]:
    """What follows an ended attempt goes behind the suppliers that wait for their first turn, one behind the other;
    but for urgent tasks. What the sweep sends again after redeliver_seconds stands in its old place: nobody is
    overtaken for longer. `seconds` since 1970 by this worker's clock decide on the order alone: the place lies in the
    past of every clock."""
    place = datetime.fromtimestamp(LAST_IMMEDIATE / 1000 + seconds / 4, UTC)
    return [one if one.at is not None or one.priority == URGENT else one._replace(at=place) for one in deliveries]


def wake_key(queue_name: str) -> str:
    """List of wake-up tokens."""
    return f"{queue_name}:wake"


def inbox_key(queue_name: str) -> str:
    """List into which a producer that has only Redis pushes whole queue messages as JSON."""
    return f"{queue_name}:inbox"


@contextmanager
def translated() -> Iterator[None]:
    """Turns whatever redis raises into QueueUnavailable."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise QueueUnavailable(f"Redis cannot be used: {type(error).__name__}: {error}") from error


class ArqQueue:
    """Deliveries as arq jobs. Redis holds ids and nothing else: [task key, task id, epoch, priority].

    A delivery that waits already moves only forward: sending one again for "now" ends its deferral.
    """

    def __init__(self, redis: ArqRedis, *, queue_name: str) -> None:
        self._redis = redis
        self._name = queue_name

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """One round trip per 2,000 deliveries, each slice whole or not at all."""
        for start in range(0, len(deliveries), SLICE):
            with translated():
                await self._send(deliveries[start : start + SLICE])
            if start + SLICE < len(deliveries):
                await asyncio.sleep(0)

    async def _send(self, deliveries: Sequence[Delivery]) -> None:
        now = time.time_ns() // 1_000_000
        jobs: list[str | bytes] = []
        places: list[str | bytes | float] = []
        for delivery in deliveries:
            job_id = f"{self._name}:{delivery.task_key}:{delivery.epoch}"
            arguments = (delivery.task_key, delivery.task_id, delivery.epoch, delivery.priority)
            jobs += (job_key_prefix + job_id, serialize_job(JOB, arguments, {}, None, now, serializer=to_json))
            places += (score(delivery), job_id)
        tokens = [b"1"] * min(TOKENS, len(deliveries))
        # Four commands, not four per job: redis-py spends most of its time on each single answer. A waiting payload
        # has no time limit (MSET knows none); the worker that takes it sets one.
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("MSET", *jobs)
            pipe.execute_command("ZADD", self._name, "LT", *places)
            pipe.lpush(wake_key(self._name), *tokens)
            pipe.ltrim(wake_key(self._name), 0, TOKENS - 1)
            await pipe.execute()

    async def depth(self) -> Depth:
        now = time.time_ns() // 1_000_000
        with translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.zcount(self._name, "-inf", now)
                pipe.zcount(self._name, f"({now}", "+inf")
                waiting, deferred = await pipe.execute()
        return Depth(waiting, deferred)

    async def close(self) -> None:
        with translated():
            await self._redis.aclose(close_connection_pool=True)


class InlineQueue:
    """The twin of ArqQueue inside one process; what waits is lost with it, and found again by the sweep."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._waiting: dict[tuple[int, int], tuple[float, Delivery]] = {}
        self._arrived = asyncio.Event()

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            key = (delivery.task_key, delivery.epoch)
            known = self._waiting.get(key)
            place = score(delivery)
            self._waiting[key] = (place if known is None else min(place, known[0]), delivery)
        if deliveries:
            self._arrived.set()

    async def depth(self) -> Depth:
        now = self._clock.now().timestamp() * 1000
        waiting = sum(1 for place, _ in self._waiting.values() if place <= now)
        return Depth(waiting, len(self._waiting) - waiting)

    async def close(self) -> None:
        self._waiting.clear()

    def take(self) -> Delivery | None:
        """The first that is due, removed; None if nothing is due."""
        if not self._waiting:
            return None
        key = min(self._waiting, key=lambda each: self._waiting[each][0])
        place, delivery = self._waiting[key]
        if place > self._clock.now().timestamp() * 1000:
            return None
        del self._waiting[key]
        return delivery

    async def work(self, executor: Executor) -> None:
        """Executes one delivery after the other, and what follows from them, until nothing waits or is deferred."""
        while self._waiting:
            delivery = self.take()
            if delivery is not None:
                await self.deliver(await executor.execute(delivery))
                continue
            self._arrived.clear()
            soonest = min(place for place, _ in self._waiting.values()) / 1000
            pause = max(0.0, soonest - self._clock.now().timestamp())
            try:
                await asyncio.wait_for(self._arrived.wait(), min(pause + 0.001, 1.0))
            except TimeoutError:
                continue
