"""Turns one delivery into one settlement: claim, run, decide, record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic
from typing import NamedTuple

from contracts.clock import Clock
from contracts.errors import AccountMismatch, DatabaseUnavailable, LeaseLost, TimeLimitExceeded
from contracts.failpoints import failpoint
from contracts.outcome import Completed, DeadLetter, Discard, Retry, Settlement, Snooze
from contracts.queue import Delivery
from contracts.store import Claim, Ledger, Refusal
from contracts.task import TaskResult
from observability.logging import bound_context, get_logger
from pipeline.lease import Held, LeaseKeeper
from resilience.retry.policy import RetryPolicy
from resilience.settle import failure_from, settle

log = get_logger(__name__)

RunTask = Callable[[Claim, Held], Awaitable[TaskResult]]


class Executor:
    """Everything an attempt can end in becomes one Settlement; the ledger records it once."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        leases: LeaseKeeper,
        run: RunTask,
        policy: RetryPolicy,
        worker: str,
        lease: timedelta,
        time_limit: timedelta,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._run = run
        self._policy = policy
        self._worker = worker
        self._lease = lease
        self._time_limit = time_limit.total_seconds()
        self._clock = clock
        self._random = random

    async def execute(self, delivery: Delivery) -> list[Delivery]:
        """Never raises but for cancellation. Returns what should be delivered next."""
        with bound_context(task_id=delivery.task_id, worker=self._worker):
            try:
                answer = await self._ledger.claim(delivery, worker=self._worker, lease=self._lease)
            except DatabaseUnavailable as error:
                # The delivery is spent, the task is not: the sweep sends it again.
                log.warning("task.not_claimed", error=str(error))
                return []
            if isinstance(answer, Refusal):
                log.debug("task.refused", reason=answer.reason)
                return list(answer.following)
            failpoint("task.claimed")
            with bound_context(parser=answer.task.parser_type, queue=answer.task.queue_name):
                return await self._work(answer)

    async def _work(self, claim: Claim) -> list[Delivery]:
        log.info(
            "task.claimed",
            attempt=claim.attempt,
            epoch=claim.epoch,
            supplier=claim.task.supplier_name,
            waited_seconds=claim.waited_seconds,
        )
        started = monotonic()
        with self._leases.hold(claim) as held:
            settlement = await self._attempt(claim, held)
            failpoint("task.before_settle")
            following = await self._record(claim, settlement, held, started=started)
        failpoint("task.settled")
        return following

    async def _attempt(self, claim: Claim, held: Held) -> Settlement:
        try:
            try:
                async with asyncio.timeout(self._time_limit) as limit:
                    return Completed(await self._run(claim, held))
            except TimeoutError as error:
                if not limit.expired():
                    raise  # of something the run waited for
                raise TimeLimitExceeded(f"the run took longer than {self._time_limit:g} s") from error
        except Exception as error:  # the one place that turns whatever a run meets into a value
            log.warning("task.failed", error=str(error), kind=type(error).__name__, exc_info=not hasattr(error, "code"))
            return settle(
                error,
                attempt=claim.attempt,
                max_retries=claim.task.max_retries,
                policy=self._policy,
                now=self._clock.now(),
                random=self._random,
            )

    async def _record(self, claim: Claim, settlement: Settlement, held: Held, *, started: float) -> list[Delivery]:
        """What was decided is not lost to a database that is away: it is tried until the lease is someone else's."""
        delay = 0.1
        while True:
            try:
                following = await self._ledger.settle(claim, settlement)
            except AccountMismatch as error:
                log.error("task.account_mismatch", error=str(error))
                settlement = DeadLetter(failure_from(error))
            except LeaseLost as error:
                log.warning("task.lease_lost", error=str(error))
                return []
            except DatabaseUnavailable as error:
                if held.lost:
                    return []
                log.warning("task.not_settled", error=str(error))
                await self._clock.sleep(delay)
                delay = min(delay * 2, 5.0)
            else:
                told = _told(settlement)
                log.info(
                    "task.settled",
                    outcome=type(settlement).__name__.lower(),
                    seconds=round(monotonic() - started, 3),
                    status=told.status,
                    code=told.code,
                    category=told.category,
                    asks=told.asks,
                )
                return following


class _Told(NamedTuple):
    """What the log says of a settlement beside its name."""

    status: str | None = None
    """Of a completed task."""
    code: str | None = None
    category: str | None = None
    asks: bool = False
    """The list is held with a question."""


def _told(settlement: Settlement) -> _Told:
    match settlement:
        case Completed(result=result):
            return _Told(status=result.status)
        case Retry(failure=failure) | DeadLetter(failure=failure):
            return _Told(code=failure.code, category=failure.category, asks="question" in failure.context)
        case Snooze(reason=reason) | Discard(reason=reason):
            return _Told(code=reason)
