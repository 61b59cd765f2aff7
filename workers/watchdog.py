"""Ends a process that does nothing any more: no heartbeat to PostgreSQL and no look at Redis for too long."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Self

from observability.logging import get_logger

log = get_logger(__name__)

EXIT_CODE = 70
"""EX_SOFTWARE; whoever supervises the worker starts it again."""


class Watchdog:
    """A thread, because a loop that hangs cannot notice that it does. One server that is away is no reason to end:
    running tasks need PostgreSQL only, and a worker without it waits for its return."""

    def __init__(self, signs_of_life: Callable[[], float], *, patience: float, end: Callable[[], None]) -> None:
        """`signs_of_life`: monotonic seconds of the latest one, read from the thread. `end` is called once."""
        self._signs = signs_of_life
        self._patience = patience
        self._end = end
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(self._patience)

    def _watch(self) -> None:
        tick = self._patience / 10
        since = time.monotonic()
        looked = since
        while not self._ended.wait(tick):
            now = time.monotonic()
            if now - looked > tick + self._patience / 3:
                # This process itself was stopped (SIGSTOP, a suspended machine): it first gets time to go on.
                since = now
            looked = now
            if now - max(since, self._signs()) > self._patience:
                self._end()
                return


def end_process() -> None:
    """At once and without clearing up: whatever would be cleared up may be what hangs. Leases do the rest."""
    log.error("worker.hung")
    os._exit(EXIT_CODE)
