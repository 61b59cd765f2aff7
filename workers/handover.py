"""Hands deliveries from the ledger to the queue; what cannot be handed over now is left to the sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from contracts.errors import DatabaseUnavailable, QueueUnavailable
from contracts.queue import Delivery, Queue
from contracts.store import Ledger, Registration
from contracts.task import ParseTask
from observability.logging import get_logger

log = get_logger(__name__)


async def hand_over(deliveries: Sequence[Delivery], *, queue: Queue, ledger: Ledger) -> bool:
    """Delivers, and notes it in the ledger in a transaction of its own. False if the queue cannot be reached. Never
    raises for an absent server: the tasks are accepted, and the sweep sends what is due and was never sent."""
    if not deliveries:
        return True
    try:
        await queue.deliver(deliveries)
    except QueueUnavailable as error:
        log.warning("delivery.delayed", deliveries=len(deliveries), error=str(error))
        return False
    try:
        await ledger.dispatched(deliveries)
    except DatabaseUnavailable as error:
        # Sent, but not noted: the sweep sends them once more, which changes nothing.
        log.debug("delivery.not_noted", deliveries=len(deliveries), error=str(error))
    return True


async def send(deliveries: Sequence[Delivery], *, queue: Queue) -> bool:
    """Delivers tasks that are registered as sent already. False if the queue cannot be reached: the sweep sends them
    when they are overdue."""
    if not deliveries:
        return True
    try:
        await queue.deliver(deliveries)
    except QueueUnavailable as error:
        log.warning("delivery.delayed", deliveries=len(deliveries), error=str(error))
        return False
    return True


def tell_accepted(tasks: Sequence[ParseTask], answers: Sequence[Registration], *, origin: str) -> None:
    """An event for each queue, of the tasks that were not known."""
    created = Counter(task.queue_name for task, answer in zip(tasks, answers, strict=True) if answer.created)
    for queue, number in created.items():
        log.debug("task.enqueued", queue=queue, tasks=number, origin=origin)
