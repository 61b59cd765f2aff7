"""What a worker process does besides taking tasks: it ticks the schedules and looks into the watched folder."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

from contracts.clock import SystemClock
from workers.app import App, inbox_of
from workers.folder_watch import FolderWatch
from workers.scheduling import Scheduling

Chore = Callable[[], Coroutine[Any, Any, None]]
"""Starts work that goes on until it is cancelled."""


def chores_of(app: App) -> tuple[Chore, ...]:
    """Those that the settings ask for."""
    clock = SystemClock()
    scheduling = Scheduling(
        schedules=app.schedules,
        ledger=app.ledger,
        queue=app.queue,
        settings=app.settings,
        clock=clock,
        random=random.random,
    )
    if app.settings.watch_dir is None:
        return (scheduling.run,)
    watch = FolderWatch(
        app.settings.watch_dir,
        inbox=inbox_of(app.settings),
        watched=app.watched,
        ledger=app.ledger,
        queue=app.queue,
        settings=app.settings,
        clock=clock,
        random=random.random,
    )
    return (scheduling.run, watch.run)
