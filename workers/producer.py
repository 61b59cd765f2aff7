"""Accepts tasks: validates them, remembers them in PostgreSQL, then delivers them; for any script, cron job or API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from config.settings import Settings
from contracts.controls import Controls
from contracts.errors import ContractViolation, DatabaseUnavailable, QueueFull, QueueUnavailable, StateConflict
from contracts.failpoints import failpoint
from contracts.queue import Queue
from contracts.schema import parse_task, validate
from contracts.store import Ledger, Registration
from contracts.task import ParseTask
from observability.logging import get_logger
from workers.back_pressure import BackPressure
from workers.handover import tell_accepted
from workers.ports import open_ports

log = get_logger(__name__)

BATCH = 1_000
"""Tasks in one transaction of enqueue_many."""
DELIVERY_SECONDS = 2.0
"""Longest wait for Redis before a task counts as accepted but not delivered."""
REST_SECONDS = 5.0
"""After Redis did not answer, so long none is asked again."""

Order = ParseTask | Mapping[str, Any]


class Enqueued(NamedTuple):
    """The answer to one accepted task."""

    task_id: str
    created: bool
    """False: this task id or idempotency key was known; `task_id` names the task that holds it."""
    delivered: bool
    """False: accepted, but Redis is away; the sweep of the workers delivers it when Redis is back."""


class ProducerLedger(Ledger, Controls, Protocol):
    """What a producer needs."""


class Producer:
    """`async with Producer(settings) as producer`. A task is accepted once its row is committed, and only then is an
    id given out. One producer may be used by many asyncio tasks at once."""

    def __init__(self, settings: Settings, *, ledger: ProducerLedger | None = None, queue: Queue | None = None) -> None:
        """`ledger` and `queue`: ports that are open already and stay open; without them both are opened."""
        self._settings = settings
        self._given = (ledger, queue)
        self._stack = AsyncExitStack()
        self._ledger: Ledger | None = None
        self._queue: Queue | None = None
        self._pressure: BackPressure | None = None
        self._resting_until = 0.0

    async def __aenter__(self) -> Self:
        ledger, queue = self._given
        if ledger is None or queue is None:
            ports = await self._stack.enter_async_context(open_ports(self._settings))
            ledger, queue = ledger or ports.ledger, queue or ports.queue
        self._ledger, self._queue = ledger, queue
        self._pressure = BackPressure(ledger, most=self._settings.max_waiting)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        self._ledger = self._queue = None

    async def enqueue(self, task: Order) -> Enqueued:
        """Raises ContractViolation for a task that fits no schema, QueueFull (with retry_after) if too many wait
        already, DatabaseUnavailable if it could not be accepted; then nothing was. Redis being away is no error."""
        ledger = self._open()
        tasks = [validated(task)]
        await self._admit(tasks)
        (registration,) = await ledger.register(tasks, sending=True)
        failpoint("producer.registered")
        tell_accepted(tasks, [registration], origin="script")
        delivered = await self._deliver([registration])
        failpoint("producer.delivered")
        return Enqueued(registration.task_id, registration.created, delivered)

    async def enqueue_many(self, tasks: Iterable[Order]) -> list[Enqueued]:
        """Accepts in batches of 1,000, each in one transaction; a batch is delivered while the next is registered.
        One answer per task, in order. ContractViolation, QueueFull and DatabaseUnavailable carry `accepted` in their
        context: so many tasks from the front were accepted before; those may be handed in again without harm if they
        carry task ids or idempotency keys."""
        ledger = self._open()
        delivering: list[asyncio.Task[list[Enqueued]]] = []
        accepted = 0
        try:
            for batch in _batches(tasks):
                orders = _validated_batch(batch, accepted)
                await self._admit(orders)
                registrations = await ledger.register(orders, sending=True)
                failpoint("producer.registered")
                tell_accepted(orders, registrations, origin="script")
                accepted += len(batch)
                if delivering:
                    await delivering[-1]
                delivering.append(asyncio.create_task(self._finish(registrations)))
        except (ContractViolation, DatabaseUnavailable, QueueFull) as error:
            error.context["accepted"] = accepted
            raise
        finally:
            if delivering:
                await delivering[-1]
        return [answer for task in delivering for answer in task.result()]

    async def _finish(self, registrations: Sequence[Registration]) -> list[Enqueued]:
        delivered = await self._deliver(registrations)
        failpoint("producer.delivered")
        return [Enqueued(answer.task_id, answer.created, delivered) for answer in registrations]

    async def _deliver(self, registrations: Sequence[Registration]) -> bool:
        """True if everything that needs a delivery has one."""
        deliveries = [one.delivery for one in registrations if one.delivery is not None and not one.behind]
        if not deliveries:
            return True
        assert self._queue is not None
        now = asyncio.get_running_loop().time()
        if now < self._resting_until:
            return False
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await self._queue.deliver(deliveries)
        except (QueueUnavailable, TimeoutError) as error:
            self._resting_until = asyncio.get_running_loop().time() + REST_SECONDS
            log.warning("delivery.delayed", deliveries=len(deliveries), error=str(error) or "Redis does not answer")
            return False
        return True

    async def _admit(self, tasks: Sequence[ParseTask]) -> None:
        if self._pressure is not None:
            await self._pressure.admit(tasks)

    def _open(self) -> Ledger:
        if self._ledger is None:
            raise StateConflict("use the producer inside `async with Producer(settings) as producer:`")
        return self._ledger


def validated(order: Order) -> ParseTask:
    """The task of a queue message of any version that is still read, held against the schema. ContractViolation."""
    if isinstance(order, ParseTask):
        validate("queue-message", order.document())
        return order
    return parse_task(dict(order))


def _validated_batch(orders: Sequence[Order], first: int) -> list[ParseTask]:
    tasks = []
    for position, order in enumerate(orders, first):
        try:
            tasks.append(validated(order))
        except ContractViolation as violation:
            violation.context["position"] = position
            raise
    return tasks


def _batches(tasks: Iterable[Order]) -> Iterator[list[Order]]:
    rest = iter(tasks)
    while batch := list(islice(rest, BATCH)):
        yield batch
