"""Runs one worker process: takes deliveries, sweeps, watches itself, and leaves in good order."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from importlib.metadata import version
from typing import Any, Protocol

from arq.connections import ArqRedis

from config.settings import Settings
from contracts.clock import SystemClock
from contracts.controls import Controls
from contracts.errors import DatabaseUnavailable, PricemillError
from contracts.fleet import Registry, Wish, WorkerState
from contracts.queue import Queue
from contracts.store import Ledger
from observability.logging import get_logger
from resilience.resource.cgroup import container_memory
from workers.delivery import Executor
from workers.inbox import Inbox
from workers.jobs import Jobs
from workers.metrics_server import metrics_served
from workers.rescue import Rescue
from workers.spool import keep_small
from workers.stopping import Stopping, stopped_by_signals
from workers.vitals import Vitals
from workers.wakeup import WakingWorker
from workers.watchdog import Watchdog, end_process

log = get_logger(__name__)

HANG_SECONDS = 30.0
"""Without any sign of life from PostgreSQL and Redis for so long, the process ends itself."""
SILENT_SECONDS = 10.0
"""Without an answer for longer, or for a lease if that is longer, a server counts as away."""
HURRIED_SECONDS = 2.0
"""What a second signal leaves of shutdown_seconds."""
ABANDON_SECONDS = 5.0
"""For cancelled jobs to let go."""
HEED_SECONDS = 0.25
"""Between two looks at what the heartbeat brought."""


class WorkerLedger(Ledger, Controls, Registry, Protocol):
    """A ledger that also keeps the registry of workers."""


class Leases(Protocol):
    """What keeps the leases of this process alive."""

    last_beat: float
    """Monotonic seconds of the last renewal that PostgreSQL answered."""
    state: WorkerState
    wish: Wish | None

    def running(self) -> AbstractAsyncContextManager[object]: ...


class WorkerApp(Protocol):
    """What workers.app.build() puts together, as far as a worker needs it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def worker(self) -> str:
        """Name of this process in the ledger, unique in the fleet."""
        ...

    @property
    def ledger(self) -> WorkerLedger: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def redis(self) -> ArqRedis: ...
    @property
    def executor(self) -> Executor: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def stopping(self) -> Stopping: ...


async def run_worker(
    app: WorkerApp,
    *,
    burst: bool = False,
    signals: bool = True,
    fleet_url: str | None = None,
    chores: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> None:
    """Works until SIGTERM, SIGINT, `app.stopping.ask()` or an operator's wish to have it started anew (then
    `app.stopping.recycling` is set); with `burst`, until nothing waits anywhere. Then takes
    nothing new, lets running tasks stop behind their chunk (at most shutdown_seconds; a second signal hurries) and
    returns. The caller closes `app`. Raises only what is a defect of ours. `fleet_url`: the database from which
    /metrics tells of the fleet. `chores`: what else this process does until it ends; a burst does none of it."""
    inbox = Inbox(app.redis, queue=app.queue, ledger=app.ledger, queue_name=app.settings.queue_name)
    jobs = Jobs(executor=app.executor, queue=app.queue, ledger=app.ledger, inbox=inbox)
    waking = WakingWorker(
        jobs.functions(),
        redis=app.redis,
        inbox=inbox,
        queue_name=app.settings.queue_name,
        slots=app.settings.concurrency,
        # Above the limit of an attempt, with time to record how it ended: arq's limit is never the one that acts.
        time_limit=app.settings.time_limit_seconds * 1.1 + 600,
    )
    rescue = Rescue(
        ledger=app.ledger, queue=app.queue, settings=app.settings, clock=SystemClock(), random=random.random
    )
    pulse = _Pulse(leases=app.leases, waking=waking, rescue=rescue)
    with (
        stopped_by_signals(app.stopping) if signals else nullcontext(),
        Watchdog(pulse.signs_of_life, patience=HANG_SECONDS, end=end_process),
        metrics_served(app.settings, _vitals(app, waking, pulse), fleet_url=fleet_url),
    ):
        async with app.leases.running():
            await _register(app)
            log.info("worker.started", worker=app.worker, slots=app.settings.concurrency)
            works: list[Coroutine[Any, Any, Any]] = [
                app.stopping.asked.wait(),
                rescue.run(),
                pulse.tick(),
                keep_small(app.settings),
                _heed(app, waking),
            ]
            if burst:
                works.append(_until_empty(app, waking, rescue))
            else:
                works += [chore() for chore in chores]
            try:
                await _until_first(*works, waking=waking)
            finally:
                app.stopping.stopping = True
                log.info("worker.stopping", worker=app.worker, running=waking.running)
                await _drain(app, waking)
                await _forget(app)
                log.info("worker.stopped", worker=app.worker)


async def _heed(app: WorkerApp, waking: WakingWorker) -> None:
    """Does what an operator asks for through the heartbeat; ends when the worker shall be started anew."""
    while True:
        wish = app.leases.wish
        if wish == "recycle":
            app.leases.state = "recycling"
            log.info("worker.recycled", worker=app.worker, running=waking.running)
            app.stopping.recycle()
            return
        if wish == "drain" and not waking.draining:
            app.leases.state = "draining"
            waking.drain()
            log.info("worker.draining", worker=app.worker, running=waking.running)
        if wish is None and waking.draining:
            app.leases.state = "working"
            waking.take_again()
            log.info("worker.takes_again", worker=app.worker)
        await asyncio.sleep(HEED_SECONDS)


def _vitals(app: WorkerApp, waking: WakingWorker, pulse: _Pulse) -> Vitals:
    return Vitals(
        slots=app.settings.concurrency,
        busy=lambda: waking.running,
        beat=lambda: app.leases.last_beat,
        poll=lambda: waking.last_poll,
        sign=pulse.signs_of_life,
        patience=max(SILENT_SECONDS, app.settings.lease_seconds),
        hang_seconds=HANG_SECONDS,
        memory_limit=_memory_limit,
    )


def _memory_limit() -> int | None:
    container = container_memory()
    return None if container is None else container.limit


class _Pulse:
    """What the watchdog reads: the latest sign that this worker does its work."""

    def __init__(self, *, leases: Leases, waking: WakingWorker, rescue: Rescue) -> None:
        self._leases = leases
        self._waking = waking
        self._rescue = rescue
        self._ticked = time.monotonic()

    async def tick(self) -> None:
        """Shows that the loop turns."""
        while True:
            self._ticked = time.monotonic()
            await asyncio.sleep(1.0)

    def signs_of_life(self) -> float:
        beat = self._leases.last_beat
        # Counted from when PostgreSQL came back: the first sweep behind an outage may be answered before the heartbeat.
        if self._rescue.last_answer - max(beat, self._rescue.answered_since) > HANG_SECONDS:
            # PostgreSQL answers the sweep, yet the heartbeat of the leases has ended: every lease will be lost.
            return beat
        return min(self._ticked, max(beat, self._waking.last_poll))


async def _until_first(*works: Coroutine[Any, Any, Any], waking: WakingWorker) -> None:
    """Runs all until one ends, cancels the rest, and raises what the ended one raised."""
    taking = asyncio.create_task(waking.main())
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait([taking, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Not cancelled at once: what it has just removed from the queue it also starts.
        waking.stop()
        await asyncio.wait([taking], timeout=HURRIED_SECONDS)
        for task in (taking, *tasks):
            task.cancel()
        await asyncio.wait([taking, *tasks], timeout=ABANDON_SECONDS)
    for task in done:
        task.result()


async def _until_empty(app: WorkerApp, waking: WakingWorker, rescue: Rescue) -> None:
    """Nothing runs here, nothing waits or is deferred in the queue, and the ledger has nothing to send."""
    while True:
        await asyncio.sleep(0.05)
        try:
            taken = waking.taken
            if (
                waking.idle
                and await app.queue.depth() == (0, 0)
                and not await rescue.sweep()
                and waking.idle
                and waking.taken == taken
            ):
                return
        except PricemillError as error:
            log.debug("burst.not_known", error=str(error))


async def _drain(app: WorkerApp, waking: WakingWorker) -> None:
    finished = asyncio.create_task(waking.finish(app.settings.shutdown_seconds))
    hurried = asyncio.create_task(app.stopping.hurried.wait())
    await asyncio.wait({finished, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not finished.done():
        await asyncio.wait({finished}, timeout=HURRIED_SECONDS)
        finished.cancel()
    if waking.running:
        log.warning("worker.abandons", running=waking.running)
        await waking.abandon(ABANDON_SECONDS)


async def _register(app: WorkerApp) -> None:
    """Only a list for people: a worker that cannot be listed works all the same, its heartbeat lists it later."""
    try:
        await app.ledger.register_worker(
            app.worker,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("pricemill"),
            slots=app.settings.concurrency,
        )
    except DatabaseUnavailable as error:
        log.warning("worker.not_registered", error=str(error))


async def _forget(app: WorkerApp) -> None:
    try:
        await app.ledger.forget_worker(app.worker)
    except DatabaseUnavailable as error:
        log.debug("worker.not_forgotten", error=str(error))
