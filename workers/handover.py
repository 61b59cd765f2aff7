"""Hands deliveries from the ledger to the queue; what cannot be handed over now is left to the sweep."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import DatabaseUnavailable, QueueUnavailable
from contracts.queue import Delivery, Queue
from contracts.store import Ledger
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
