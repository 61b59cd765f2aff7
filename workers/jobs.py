"""The arq functions: a delivery is executed and what follows is handed over; anything else goes to the inbox."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from arq.worker import Function, func

from contracts.errors import QueueUnavailable
from contracts.failpoints import failpoint
from contracts.queue import Delivery, Queue
from contracts.store import Ledger
from observability.logging import get_logger
from workers.delivery import JOB, Executor, in_turn
from workers.handover import hand_over
from workers.inbox import Inbox
from workers.messages import STRAY

log = get_logger(__name__)


class Jobs:
    """To arq every job succeeds: retries, dead letters and results are the ledger's."""

    def __init__(self, *, executor: Executor, queue: Queue, ledger: Ledger, inbox: Inbox) -> None:
        self._executor = executor
        self._queue = queue
        self._ledger = ledger
        self._inbox = inbox

    def functions(self) -> Sequence[Function]:
        return (func(self.parse, name=JOB), func(self.stray, name=STRAY))

    async def parse(self, ctx: dict[Any, Any], task_key: int, task_id: str, epoch: int, priority: int) -> None:
        failpoint("job.received")
        following = await self._executor.execute(Delivery(task_key, task_id, epoch, None, priority))
        await hand_over(in_turn(following, time.time()), queue=self._queue, ledger=self._ledger)
        failpoint("task.followed")

    async def stray(self, ctx: dict[Any, Any], raw: bytes) -> None:
        try:
            await self._inbox.put(raw)
        except QueueUnavailable as error:
            log.warning("message.lost", size=len(raw), error=str(error))
