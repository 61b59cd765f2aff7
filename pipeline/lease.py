"""Keeps the leases of the running tasks alive from a thread and a connection of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from contracts.controls import Controls
from contracts.errors import DatabaseUnavailable
from contracts.fleet import Registry, Wish, WorkerState
from contracts.store import Claim, ClaimKey, Ledger
from observability.logging import get_logger

log = get_logger(__name__)


class BeatingLedger(Ledger, Controls, Registry, Protocol):
    """What a heartbeat needs."""


@dataclass(slots=True)
class Held:
    """What the heartbeat last learned of one claim; written by its thread, read by the run's guards."""

    key: ClaimKey
    lost: bool = False
    cancelled: bool = False
    paused: bool = False
    yields: bool = False
    """Other suppliers wait, no slot is free, and it has had its own for long enough."""


class LeaseKeeper:
    """Renews every held claim each `beat` and notes which were lost or should be cancelled.

    A thread, not a task of the worker's loop: a parser that keeps the loop or the interpreter busy for a second
    must not lose the lease. One statement renews all claims of the process; `last_beat` feeds the watchdog.
    """

    def __init__(
        self,
        open_ledger: Callable[[], AbstractAsyncContextManager[BeatingLedger]],
        *,
        worker: str,
        lease: timedelta,
        beat: timedelta,
        snapshot: Callable[[], Mapping[str, Any]] | None = None,
        slice_: timedelta = timedelta(seconds=20),
    ) -> None:
        """`snapshot`: what the process uses, asked at each beat from the thread. `slice_`: for which a task keeps its
        slot although other suppliers wait for one; doubled each time it gave it up."""
        self._open_ledger = open_ledger
        self._worker = worker
        self._lease = lease
        self._beat = beat.total_seconds()
        self._held: dict[ClaimKey, Held] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._snapshot = snapshot
        self._slice = slice_
        self.state: WorkerState = "working"
        """What the registry is told of this worker."""
        self.wish: Wish | None = None
        """What an operator wants of it, as of the last beat."""
        self.last_beat = time.monotonic()
        """Monotonic seconds of the last renewal that PostgreSQL answered."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LeaseKeeper]:
        """Starts the thread, and ends it on leaving."""
        self._ended.clear()
        self.last_beat = time.monotonic()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._renew_for_ever()), name="lease", daemon=True)
        self._thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            await asyncio.to_thread(self._thread.join, self._lease.total_seconds())

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[Held]:
        """Renews this claim until the block is left."""
        held = Held(ClaimKey(claim.task_key, claim.epoch))
        with self._lock:
            self._held[held.key] = held
        try:
            yield held
        finally:
            with self._lock:
                self._held.pop(held.key, None)

    async def _renew_for_ever(self) -> None:
        while not self._ended.is_set():
            try:
                async with self._open_ledger() as ledger:
                    while not self._ended.is_set():
                        await asyncio.wait_for(self._renew(ledger), self._lease.total_seconds())
                        await asyncio.to_thread(self._ended.wait, self._beat)
            except (DatabaseUnavailable, TimeoutError) as error:
                log.warning("lease.not_renewed", error=str(error))
                await asyncio.to_thread(self._ended.wait, min(self._beat, 1.0))

    async def _renew(self, ledger: BeatingLedger) -> None:
        with self._lock:
            keys = list(self._held)
        kept = await ledger.renew(keys, worker=self._worker, lease=self._lease)
        wanted = await ledger.cancel_requested(keys) if keys else set()
        paused = await ledger.paused(keys) if keys else set()
        yielding = await ledger.yielding(keys, slice_=self._slice) if keys else set()
        told = None if self._snapshot is None else self._snapshot()
        self.wish = await ledger.beat(self._worker, state=self.state, busy=len(keys), snapshot=told)
        self.last_beat = time.monotonic()
        with self._lock:
            for key in keys:
                held = self._held.get(key)
                if held is not None:
                    held.lost = held.lost or key not in kept
                    held.cancelled = held.cancelled or key in wanted
                    held.paused = key in paused
                    held.yields = key in yielding
