"""Takes whole queue messages that a producer without a database pushed into Redis; bad ones are buried once."""

from __future__ import annotations

import asyncio

from arq.connections import ArqRedis

from contracts.errors import ContractViolation, DatabaseUnavailable, PricemillError
from contracts.queue import Queue
from contracts.store import Ledger
from contracts.task import ParseTask
from observability.logging import get_logger
from workers.delivery import inbox_key, translated
from workers.handover import hand_over, tell_accepted
from workers.messages import failure_of, legible, read_message
from workers.redis_pool import call

log = get_logger(__name__)

READ_AT_ONCE = 100


class Inbox:
    """A message leaves the list only after the ledger has answered, so a worker that dies in between loses none;
    the next one reads it again, and the ledger knows its task id already."""

    def __init__(self, redis: ArqRedis, *, queue: Queue, ledger: Ledger, queue_name: str) -> None:
        self._redis = redis
        self._queue = queue
        self._ledger = ledger
        self._key = inbox_key(queue_name)
        self._one_at_a_time = asyncio.Lock()

    async def put(self, raw: bytes) -> None:
        """Lays something down that was found elsewhere and is no delivery. Raises QueueUnavailable."""
        with translated():
            await call(self._redis, "RPUSH", self._key, raw)

    async def take(self) -> int:
        """Registers and delivers, or buries, up to 100 messages; how many were taken. Raises QueueUnavailable, or
        DatabaseUnavailable with the rest left where they lie."""
        async with self._one_at_a_time:
            with translated():
                messages: list[bytes] = await call(self._redis, "LRANGE", self._key, 0, READ_AT_ONCE - 1)
            tasks: list[ParseTask] = []
            for raw in messages:
                try:
                    tasks.append(read_message(raw))
                except ContractViolation as violation:
                    await self._bury(raw, violation)
            await self._accept(tasks)
            with translated():
                for raw in messages:
                    await call(self._redis, "LREM", self._key, 1, raw)
            return len(messages)

    async def _accept(self, tasks: list[ParseTask]) -> None:
        try:
            answers = await self._ledger.register(tasks, sending=True) if tasks else []
        except DatabaseUnavailable:
            raise
        except PricemillError as error:
            if len(tasks) == 1:
                # The store refuses this very message (a character it cannot hold): it would refuse it for ever.
                await self._bury(tasks[0].model_dump_json().encode(), ContractViolation(error.message))
                return
            for task in tasks:
                await self._accept([task])
            return
        tell_accepted(tasks, answers, origin="inbox")
        deliveries = [answer.delivery for answer in answers if answer.delivery is not None]
        await hand_over(deliveries, queue=self._queue, ledger=self._ledger)

    async def _bury(self, raw: bytes, violation: ContractViolation) -> None:
        if await self._ledger.bury(legible(raw), failure_of(violation)):
            log.warning("message.buried", size=len(raw), reason=violation.message)
