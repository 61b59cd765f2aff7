"""A real worker on real servers whose tasks only wait as long as their source_config says: for tests of delivery.

Run as `python -m tests.support.scripted_worker [--burst]`, set up by the environment as every worker is.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from arq.connections import ArqRedis

from config.settings import Settings
from contracts.clock import SystemClock
from contracts.errors import RunPaused, RunReleased, RunYielded
from contracts.store import Claim
from contracts.task import Statistics, TaskResult, new_task_id
from db.ledger import PostgresLedger
from observability.logging import configure
from pipeline.executor import Executor
from pipeline.lease import Held, LeaseKeeper
from resilience.retry.policy import POLICIES
from workers.delivery import ArqQueue
from workers.fleet import run_worker
from workers.ports import open_ports
from workers.stopping import EXIT_RECYCLED, Stopping


@dataclass
class ScriptedApp:
    """What workers.app.build() makes, with a run that reads nothing."""

    settings: Settings
    worker: str
    ledger: PostgresLedger
    queue: ArqQueue
    redis: ArqRedis
    leases: LeaseKeeper
    stopping: Stopping = field(default_factory=Stopping)
    started: list[str] = field(default_factory=list)
    """Task ids in the order in which they were started here."""
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        self.executor = Executor(
            ledger=self.ledger,
            leases=self.leases,
            run=self.run,
            policy=POLICIES[self.settings.retry_policy],
            worker=self.worker,
            lease=self.settings.lease,
            time_limit=timedelta(seconds=self.settings.time_limit_seconds),
            clock=SystemClock(),
            random=random.random,
        )

    async def run(self, claim: Claim, held: Held) -> TaskResult:
        """Waits in steps of 20 ms; between them the worker's wish to stop is heard, as between chunks."""
        self.started.append(claim.task.task_id)
        ends = asyncio.get_running_loop().time() + float(claim.task.source_config.get("seconds", 0))
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 0.02))
            if self.stopping.stopping and not claim.task.source_config.get("deaf"):
                raise RunReleased
            if held.paused:
                raise RunPaused
            if held.yields:
                raise RunYielded
        return TaskResult(
            task_id=claim.task.task_id,
            status="success",
            processed_at=datetime.now(UTC),
            statistics=Statistics(total_rows=0, successful_rows=0, failed_rows=0),
        )


@asynccontextmanager
async def scripted_app(settings: Settings) -> AsyncIterator[ScriptedApp]:
    worker = f"{socket.gethostname()}-{os.getpid()}-{new_task_id()[-6:]}"
    async with open_ports(settings) as ports:
        leases = LeaseKeeper(
            partial(PostgresLedger.open, ports.database_url, size=1),
            worker=worker,
            lease=settings.lease,
            beat=timedelta(seconds=settings.heartbeat_seconds),
            slice_=timedelta(seconds=settings.slice_seconds),
        )
        yield ScriptedApp(settings, worker, ports.ledger, ports.queue, ports.redis, leases)


async def main() -> int:
    configure(level=os.environ.get("PRICEMILL_LOG_LEVEL", "INFO"))
    async with scripted_app(Settings()) as app:
        await run_worker(app, burst="--burst" in sys.argv)
        return EXIT_RECYCLED if app.stopping.recycling else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
