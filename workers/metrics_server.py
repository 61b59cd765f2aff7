"""`/metrics` and `/livez` of one worker, on a port and in a thread of their own."""

from __future__ import annotations

import asyncio
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import parsers
from config.settings import Settings
from observability.logging import get_logger, heard_by
from observability.metrics import CONTENT_TYPE, Meters
from observability.metrics_fold import Fold
from workers.metrics_fleet import FleetGauges
from workers.metrics_http import HEAD_BYTES, Answer, Endpoint
from workers.vitals import Vitals

log = get_logger(__name__)

TRY_AGAIN_SECONDS: Final = 5.0
"""While the port is another process's."""
END_SECONDS: Final = 3.0


@contextmanager
def metrics_served(settings: Settings, vitals: Vitals, *, fleet_url: str | None) -> Iterator[None]:
    """Counts what this process does and serves it while the block lasts; does nothing without a port. `fleet_url`: the
    database that knows the fleet; None leaves its gauges out. A thread, because a scrape must not wait for a chunk,
    and no chunk for a scrape; nothing that goes wrong here reaches the worker."""
    if not settings.metrics_port:
        yield
        return
    meters = Meters(parsers=parsers.table())
    meters.tell("build_info", version=version("pricemill"), python=platform.python_version())
    server = MetricsServer(settings, meters, vitals, fleet_url=fleet_url)
    with heard_by(Fold(meters)):
        server.start()
        try:
            yield
        finally:
            server.stop()


class MetricsServer:
    def __init__(self, settings: Settings, meters: Meters, vitals: Vitals, *, fleet_url: str | None) -> None:
        self._address = (settings.metrics_host, settings.metrics_port)
        self._wait_limit = settings.wait_limit_seconds
        self._meters = meters
        self._vitals = vitals
        self._fleet_url = fleet_url
        self._fleet: FleetGauges | None = None
        self._ended = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._wake()
        self._thread.join(END_SECONDS)

    async def _serve(self) -> None:
        loop, asked = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(asked.set)

        self._wake = wake
        if self._fleet_url is not None:
            self._fleet = FleetGauges(self._fleet_url, wait_limit_seconds=self._wait_limit)
        endpoint = Endpoint({"/metrics": self._metrics, "/livez": self._livez})
        told = False
        while not self._ended.is_set():
            try:
                server = await asyncio.start_server(endpoint.serve, *self._address, limit=HEAD_BYTES, backlog=16)
            except OSError as error:
                if not told:
                    log.warning("metrics.not_served", port=self._address[1], error=str(error))
                told = True
                await _wait(asked, TRY_AGAIN_SECONDS)
                continue
            async with server:
                log.info("metrics.served", host=self._address[0], port=self._address[1])
                await _wait(asked, None)

    async def _metrics(self) -> Answer:
        self._look()
        fleet = None if self._fleet is None else await self._fleet.samples()
        for name, labels, _ in fleet or ():
            if name == "schedule_next_run_timestamp_seconds":
                self._meters.begin(schedule=labels[0])
        return Answer(200, self._meters.text(fleet), CONTENT_TYPE)

    async def _livez(self) -> Answer:
        if self._vitals.alive:
            return Answer(200, b"ok\n")
        return Answer(503, b"no sign of life\n")

    def _look(self) -> None:
        vitals, meters = self._vitals, self._meters
        busy, limit = vitals.busy(), vitals.memory_limit()
        meters.set("worker_slots", busy, state="busy")
        meters.set("worker_slots", max(vitals.slots - busy, 0), state="idle")
        if limit is not None:
            meters.set("worker_memory_limit_bytes", limit)
        servers = {"postgresql": vitals.postgresql, "redis": vitals.redis}
        for component, well in servers.items():
            for status, holds in (("healthy", well), ("unhealthy", not well)):
                meters.set("health_status", float(holds), component=component, optional="false", status=status)
        meters.set("ready", float(all(servers.values())))


async def _wait(asked: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await asked.wait()
    except TimeoutError:
        return
