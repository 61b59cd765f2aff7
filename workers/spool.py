"""Removes snapshots of sources that nobody will ask for any more."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from config.settings import Settings
from observability.logging import get_logger

log = get_logger(__name__)

EVERY_SECONDS = 3600.0


def prune(spool: Path, *, older_than: float) -> int:
    """Removes the task directories in which nothing was written for `older_than` seconds; returns how many. A task
    that is replayed later fetches its source again, and is refused if that has changed (source_changed)."""
    if not spool.is_dir():
        return 0
    limit = time.time() - older_than
    removed = 0
    for directory in spool.iterdir():
        try:
            newest = max(path.stat().st_mtime for path in (directory, *directory.rglob("*")))
        except FileNotFoundError:  # another worker of this host prunes at the same time
            continue
        if directory.is_dir() and newest < limit:
            shutil.rmtree(directory, ignore_errors=True)
            removed += 1
    return removed


async def keep_small(settings: Settings) -> None:
    """Prunes once an hour until cancelled."""
    while True:
        removed = await asyncio.to_thread(prune, settings.spool, older_than=settings.spool_keep_hours * 3600)
        if removed:
            log.info("spool.pruned", removed=removed)
        await asyncio.sleep(EVERY_SECONDS)
