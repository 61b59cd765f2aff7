"""The two idle workers that benchmarks.latency wakes: ours on the real ledger, and arq as it comes."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker

from config.settings import Settings
from contracts.clock import SystemClock
from contracts.store import Claim
from contracts.task import TaskResult
from db.ledger import PostgresLedger
from pipeline.executor import Executor
from pipeline.lease import Held, LeaseKeeper
from resilience.retry.policy import policy_named
from workers.delivery import ArqQueue
from workers.fleet import run_worker
from workers.ports import open_ports
from workers.stopping import Stopping

BARE_QUEUE = "bare"


def report(name: str) -> None:
    """One line: what started, and when on the clock that all processes of a machine share."""
    sys.stdout.write(f"{name} {time.monotonic_ns()}\n")
    sys.stdout.flush()


async def start(claim: Claim, _: Held) -> TaskResult:
    """Where the work on a claimed task would begin."""
    report(claim.task.task_id)
    return TaskResult(task_id=claim.task.task_id, status="success", processed_at=datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class LatencyApp:
    settings: Settings
    worker: str
    ledger: PostgresLedger
    queue: ArqQueue
    redis: ArqRedis
    executor: Executor
    leases: LeaseKeeper
    stopping: Stopping


async def ours() -> None:
    settings = Settings()
    worker = f"latency-{os.getpid()}"
    async with open_ports(settings) as ports:
        leases = LeaseKeeper(
            partial(PostgresLedger.open, ports.database_url, size=1),
            worker=worker,
            lease=settings.lease,
            beat=timedelta(seconds=settings.heartbeat_seconds),
        )
        executor = Executor(
            ledger=ports.ledger,
            leases=leases,
            run=start,
            policy=policy_named(settings.retry_policy),
            worker=worker,
            lease=settings.lease,
            time_limit=timedelta(seconds=settings.time_limit_seconds),
            clock=SystemClock(),
            random=random.random,
        )
        app = LatencyApp(settings, worker, ports.ledger, ports.queue, ports.redis, executor, leases, Stopping())
        await run_worker(app)


async def begin(_ctx: dict[Any, Any], name: str) -> None:
    report(name)


def bare() -> None:
    """arq with its defaults: pickle, its own pool, a poll each half second."""
    Worker([begin], queue_name=BARE_QUEUE, redis_settings=RedisSettings.from_dsn(os.environ["REDIS_URL"])).run()


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        asyncio.set_event_loop(asyncio.new_event_loop())
        bare()
    else:
        asyncio.run(ours())
