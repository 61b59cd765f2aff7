"""The worker's loop on arq: wakes when something is delivered, takes as much as it has room for, survives Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from arq.connections import ArqRedis
from arq.constants import job_key_prefix, retry_key_prefix
from arq.worker import Function, Worker
from redis.exceptions import RedisError, ResponseError

from contracts.errors import PricemillError
from observability.logging import get_logger
from workers.delivery import inbox_key, wake_key
from workers.inbox import Inbox
from workers.messages import decode_job
from workers.redis_pool import call, to_json

log = get_logger(__name__)

POLL_SECONDS: Final = 2.5
"""The safety net beneath the wake-up: an idle worker sends four commands each time, bare arq one each half second."""
LOOK_SECONDS: Final = 5.0
"""How often a worker without room asks whether Redis is there."""
PAYLOAD_MS: Final = 10_000
"""How long the payload of a job is kept once it was taken; it is read at once."""
BACKOFF_SECONDS: Final = (0.05, 1.0)
"""First and longest pause while Redis is away."""


class WakingWorker(Worker):
    """arq's Worker with its own way of finding jobs. What is arq's: the format of a job, running it under a time
    limit in a task, and clearing up behind it. What is not:

    - It blocks on the list of wake-ups instead of sleeping, and never sleeps while the queue is not empty.
    - A job is taken by removing it from the queue. arq's in-progress keys would lock a dead worker's jobs for longer
      than the longest time limit, and a hundred of them blind every other worker. Nothing is lost by that: the
      ledger knows the task, and its sweep sends it again.
    - An error of Redis ends a round, not the worker; running jobs go on, they need PostgreSQL only.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        *,
        redis: ArqRedis,
        inbox: Inbox,
        queue_name: str,
        slots: int,
        time_limit: float,
    ) -> None:
        # arq logs the arguments of every job at INFO.
        logging.getLogger("arq.worker").setLevel(logging.WARNING)
        super().__init__(
            functions,
            queue_name=queue_name,
            redis_pool=redis,
            handle_signals=False,
            max_jobs=slots,
            job_timeout=time_limit,
            keep_result=0,
            max_tries=1_000_000_000,
            retry_jobs=False,
            job_serializer=to_json,
            job_deserializer=decode_job,
            log_results=False,
        )
        self.last_poll = time.monotonic()
        """Monotonic seconds of the last look at the queue that Redis answered."""
        self.idle = False
        """Nothing runs, and the last look found nothing due."""
        self.taken = 0
        """Jobs taken from the queue so far."""
        self.draining = False
        """Takes nothing new, until take_again()."""
        self._again: set[str] = set()
        self._inbox = inbox
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._blocked: asyncio.Future[object] | None = None
        self._inbox_task: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        """Jobs that run."""
        return int(self.job_counter)

    async def main(self) -> None:
        """Until stop(); never ends because Redis is away or because of what lies in it."""
        pause = BACKOFF_SECONDS[0]
        while self.allow_pick_jobs:
            try:
                await self._round()
                pause = BACKOFF_SECONDS[0]
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("redis.lost", error=f"{type(error).__name__}: {error}", running=self.running)
                await self._mend(error)
                await self._pause(pause)
                pause = min(pause * 2, BACKOFF_SECONDS[1])

    def drain(self) -> None:
        """Takes nothing new; what runs goes on to its end."""
        self.draining = True
        if self._blocked is not None:
            self._blocked.cancel()

    def take_again(self) -> None:
        """After drain()."""
        self.draining = False
        self._changed.set()

    def stop(self) -> None:
        """Takes nothing new, for good; what runs goes on."""
        self.allow_pick_jobs = False
        self._stopped.set()
        self._changed.set()
        if self._blocked is not None:
            self._blocked.cancel()

    async def finish(self, seconds: float) -> bool:
        """Waits for the running jobs; False if some still run after that time."""
        tasks = [task for task in self.tasks.values() if not task.done()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        self._reap()
        return not self.tasks

    async def abandon(self, seconds: float) -> None:
        """Cancels the running jobs and waits for them, but not longer than that."""
        for task in self.job_tasks.values():
            task.cancel()
        await self.finish(seconds)

    async def _round(self) -> None:
        """One look at the queue, and whatever waiting it leads to."""
        self._reap()
        room = self.max_jobs - self.job_counter
        if room <= 0 or self.draining:
            await self._wait_for_room()
            return
        now = time.time_ns() // 1_000_000
        async with self.pool.pipeline(transaction=False) as pipe:
            pipe.zrangebyscore(self.queue_name, "-inf", now, start=0, num=room)
            pipe.zrangebyscore(self.queue_name, f"({now}", "+inf", start=0, num=1, withscores=True)
            pipe.llen(inbox_key(self.queue_name))
            due, deferred, letters = await pipe.execute()
        self.last_poll = time.monotonic()
        if letters:
            self._read_inbox()
        if due:
            await self.start_jobs(due)
            return
        self.idle = self.job_counter == 0 and not letters
        soonest = (deferred[0][1] - now) / 1000 if deferred else POLL_SECONDS
        await self._wait_for_token(min(max(soonest, 0.001), POLL_SECONDS))

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Starts those that this worker, and no other, removed from the queue."""
        self.idle = False
        async with self.pool.pipeline(transaction=False) as pipe:
            for raw_id in job_ids:
                pipe.zrem(self.queue_name, raw_id)
                pipe.pexpire(job_key_prefix.encode() + raw_id, PAYLOAD_MS)
            removed = await pipe.execute()
        for raw_id, won in zip(job_ids, removed[::2], strict=True):
            if not won:
                continue
            self.taken += 1
            job_id = raw_id.decode(errors="replace")
            if job_id.encode() != raw_id:
                await self._inbox.put(raw_id)
                continue
            if job_id in self.tasks and not self.tasks[job_id].done():
                # Sent again while it is being looked at here: it may have been refused as blocked just before what
                # blocked it ended. arq knows its jobs by id and would mix up the two, so it is looked at afterwards.
                self._again.add(job_id)
                continue
            await self.sem.acquire()
            self.job_counter += 1
            self._start(job_id)

    def _start(self, job_id: str) -> None:
        task = self.loop.create_task(self.run_job(job_id, 0))
        task.add_done_callback(partial(self._job_ended, job_id))
        self.tasks[job_id] = task

    async def finish_job(self, job_id: str, *_: Any, **__: Any) -> None:
        """Unlike arq's, touches neither queue nor payload: both may belong to the same delivery sent again, which
        another worker may be about to take. The payload expires by itself."""
        await self.pool.delete(retry_key_prefix + job_id)

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        """As finish_job()."""
        await self.pool.delete(retry_key_prefix + job_id)

    async def _wait_for_room(self) -> None:
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
        except TimeoutError:
            await self.pool.ping()
            self.last_poll = time.monotonic()

    def _job_ended(self, job_id: str, _: asyncio.Task[None]) -> None:
        if job_id in self._again:
            self._again.discard(job_id)
            if self.allow_pick_jobs:
                self._reap()
                self._start(job_id)  # in the same slot
                return
        self._release_sem_dec_counter_on_complete()
        self._changed.set()

    def _reap(self) -> None:
        """Forgets ended jobs. Their own errors are only those of Redis on the way in or out of arq's run_job."""
        for job_id, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[job_id]
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    log.warning("job.not_cleared", job=job_id, error=f"{type(error).__name__}: {error}")

    async def _wait_for_token(self, seconds: float) -> None:
        self._blocked = asyncio.ensure_future(call(self.pool, "BLPOP", wake_key(self.queue_name), f"{seconds:.3f}"))
        try:
            await self._blocked
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if (self.allow_pick_jobs and not self.draining) or (current is not None and current.cancelling()):
                raise
        finally:
            self._blocked = None

    def _read_inbox(self) -> None:
        if self._inbox_task is None or self._inbox_task.done():
            self._inbox_task = self.loop.create_task(self._take_letters())

    async def _take_letters(self) -> None:
        try:
            while await self._inbox.take() and self.allow_pick_jobs:
                pass
        except PricemillError as error:
            log.warning("inbox.not_read", error=str(error))

    async def _mend(self, error: Exception) -> None:
        """Removes keys of ours that hold another type than ours: they carry nothing, and would end every round."""
        if not isinstance(error, ResponseError) or "WRONGTYPE" not in str(error):
            return
        expected = {self.queue_name: b"zset", wake_key(self.queue_name): b"list", inbox_key(self.queue_name): b"list"}
        try:
            for key, kind in expected.items():
                found = await self.pool.type(key)
                if found not in (kind, b"none"):
                    await self.pool.delete(key)
                    log.warning("redis.foreign_key_removed", name=key, found=found.decode())
        except (RedisError, OSError, TimeoutError):
            return

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return
