"""Watches what a worker process has left, from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from config.settings import Settings
from resilience.resource.guard import ResourceWatch
from resilience.resource.monitor import Monitor, PoolUse
from resilience.resource.thresholds import threshold_named

FIRST_LOOK: Final = 1.0
"""Seconds after the start: commands that only ask are gone by then."""


@asynccontextmanager
async def watching(settings: Settings, *, pool: PoolUse, recycle: Callable[[], object]) -> AsyncIterator[ResourceWatch]:
    """Looks every resource_seconds while the block lasts. `recycle`: see ResourceWatch. ConfigError for an unknown
    policy."""
    monitor = Monitor(disk=settings.spool, memory_limit=settings.memory_limit_bytes, pool=pool)
    watch = ResourceWatch(
        monitor.look,
        threshold_named(settings.resource_policy),
        recycle=recycle,
        patience=settings.recycle_after_seconds,
    )
    looking = asyncio.create_task(_look(watch, settings.resource_seconds))
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def _look(watch: ResourceWatch, every: float) -> None:
    await asyncio.sleep(min(FIRST_LOOK, every))
    while True:
        watch.look()
        await asyncio.sleep(every)
