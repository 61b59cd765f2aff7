"""Waiting for tasks: for the fleet, or with a worker in this process where no fleet is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cli import context
from cli.command import command
from cli.problems import WaitedTooLong
from cli.progress import meter
from cli.screen import Screen

if TYPE_CHECKING:
    from db.reports_tasks import Progress
    from workers.app import App

ENDED = {"completed", "dead", "cancelled"}
POLL_SECONDS = 0.1
LONGEST_POLL_SECONDS = 1.0


@asynccontextmanager
async def a_worker(app: App) -> AsyncIterator[bool]:
    """A worker runs meanwhile. True: it is one in this process, because the installation is embedded and nobody
    else works; it stops behind its chunk on leaving."""
    status = await app.reports.status()
    if not context.embedded(app.settings) or any(worker.alive for worker in status.workers):
        yield False
        return
    from workers.fleet import run_worker

    working = asyncio.create_task(run_worker(app, signals=False))
    try:
        yield True
    finally:
        app.stopping.ask()
        await working


async def wait_for(
    screen: Screen, app: App, task_ids: Sequence[str], *, total: int | None, seconds: float | None
) -> Mapping[str, Progress]:
    """Until all these tasks have ended; `total` = rows to expect of them together. Raises WaitedTooLong."""
    deadline = None if seconds is None else time.monotonic() + seconds
    seen: dict[str, Progress] = {}
    waiting = list(task_ids)
    pause = POLL_SECONDS
    async with a_worker(app):
        with meter(screen, total) as shown:
            while waiting:
                for task_id in waiting:
                    progress = await app.reports.progress(task_id)
                    if progress is not None:
                        seen[task_id] = progress
                shown.show(sum(one.rows for one in seen.values()), sum(one.rejected for one in seen.values()))
                waiting = [one for one in waiting if one not in seen or seen[one].state not in ENDED]
                if waiting and deadline is not None and time.monotonic() >= deadline:
                    raise WaitedTooLong(next=command("tasks", "show", waiting[0]))
                if waiting:
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.1, LONGEST_POLL_SECONDS)
    return seen
