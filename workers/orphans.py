"""Hands back what a worker held that was seen to die on this host; its lease would do so some seconds later."""

from __future__ import annotations

import asyncio
import socket

from config.settings import Settings
from contracts.errors import PricemillError
from observability.logging import get_logger
from workers.handover import hand_over
from workers.ports import open_ports

log = get_logger(__name__)

LIMIT_SECONDS = 10.0
"""Longer than any lease is worth waiting for."""


def hand_back(settings: Settings, pid: int) -> None:
    """For the supervisor, in a thread of its own. Never raises for an absent server: the leases do the rest."""
    try:
        asyncio.run(asyncio.wait_for(_hand_back(settings, pid), LIMIT_SECONDS))
    except (PricemillError, TimeoutError, OSError) as error:
        log.warning("worker.orphans_left", pid=pid, error=str(error) or type(error).__name__)


async def _hand_back(settings: Settings, pid: int) -> None:
    async with open_ports(settings, connections=1) as ports:
        orphans = await ports.ledger.give_back(host=socket.gethostname(), pid=pid, poison_after=settings.poison_after)
        await hand_over(orphans, queue=ports.queue, ledger=ports.ledger)
        if orphans:
            log.info("worker.orphans", pid=pid, tasks=[delivery.task_id for delivery in orphans[:20]])
