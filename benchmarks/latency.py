"""`python -m benchmarks.latency`: how soon an idle worker starts, and how fast tasks are accepted, beside bare arq."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import redis
from arq.connections import ArqRedis, RedisSettings, create_pool
from pydantic import SecretStr

from benchmarks.latency_worker import BARE_QUEUE
from config.settings import Settings
from contracts.task import ParseTask
from db import embedded as embedded_postgres
from db.engine import upgrade
from workers import embedded as embedded_redis
from workers.producer import Producer

PATIENCE = 30.0
IDLE_SECONDS = 5.0
TARGETS = {"p50_ms": 10.0, "p99_ms": 40.0, "bulk_per_second": 8_000.0, "single_per_second": 300.0}


def task() -> ParseTask:
    """A supplier of its own each, so that no task waits for another."""
    name = f"supplier {random.getrandbits(64):016x}"
    return ParseTask(parser_type="csv", supplier_name=name, source_config={"file_path": "lists/prices.csv"})


class Starts:
    """Reads a worker's lines; knows when each task started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def of(self, name: str) -> int:
        """Nanoseconds on the shared monotonic clock."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self._process.stdout.readline()).decode().split()
                if not line:
                    raise RuntimeError("the worker ended")
                if line[0] == name:
                    return int(line[1])


@asynccontextmanager
async def worker(kind: str, environment: dict[str, str]) -> AsyncIterator[Starts]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.latency_worker",
        kind,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Starts(process)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


async def delays(samples: int, starts: Starts, enqueue: Callable[[], Awaitable[str]]) -> list[float]:
    """Milliseconds from the call of enqueue to the first line of the task's work; the worker is idle each time."""
    found: list[float] = []
    for _ in range(samples + 3):
        await asyncio.sleep(0.03 + random.random() * 0.05)
        before = time.monotonic_ns()
        name = await enqueue()
        found.append((await starts.of(name) - before) / 1e6)
    return found[3:]


def spread(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "samples": len(ordered),
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "max_ms": round(ordered[-1], 2),
    }


async def idle_commands(url: str) -> float:
    """Commands a second that Redis sees from an idle worker."""
    with redis.Redis.from_url(url) as client:
        before = commands_so_far(client)
        await asyncio.sleep(IDLE_SECONDS)
        return round((commands_so_far(client) - before - 1) / IDLE_SECONDS, 1)


def commands_so_far(client: redis.Redis) -> int:
    return int(cast("dict[str, Any]", client.info("stats"))["total_commands_processed"])


async def measure_ours(settings: Settings, environment: dict[str, str], *, samples: int, bulk: int) -> dict[str, Any]:
    async with Producer(settings) as producer:

        async def enqueue() -> str:
            return (await producer.enqueue(task())).task_id

        async with worker("ours", environment) as starts:
            latency = spread(await delays(samples, starts, enqueue))
            commands = await idle_commands(environment["REDIS_URL"])
        tasks = [task() for _ in range(bulk)]
        began = time.perf_counter()
        await producer.enqueue_many(tasks)
        bulk_rate = bulk / (time.perf_counter() - began)
        singles = [task() for _ in range(max(100, bulk // 25))]
        began = time.perf_counter()
        for one in singles:
            await producer.enqueue(one)
        single_rate = len(singles) / (time.perf_counter() - began)
    return {
        **latency,
        "idle_commands_per_second": commands,
        "bulk_per_second": round(bulk_rate),
        "single_per_second": round(single_rate),
    }


async def measure_bare(environment: dict[str, str], *, samples: int, bulk: int) -> dict[str, Any]:
    """arq's own way in and out: no ledger, no validation, pickle."""
    pool: ArqRedis = await create_pool(RedisSettings.from_dsn(environment["REDIS_URL"]), default_queue_name=BARE_QUEUE)
    number = 0

    async def enqueue() -> str:
        nonlocal number
        number += 1
        await pool.enqueue_job("begin", f"job-{number}")
        return f"job-{number}"

    async with worker("bare", environment) as starts:
        latency = spread(await delays(samples, starts, enqueue))
        commands = await idle_commands(environment["REDIS_URL"])
    singles = max(100, bulk // 25)
    began = time.perf_counter()
    for _ in range(singles):
        await enqueue()
    single_rate = singles / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(0, bulk // 5, 50):
        await asyncio.gather(*(enqueue() for _ in range(50)))
    bulk_rate = (bulk // 5) / (time.perf_counter() - began)
    await pool.aclose(close_connection_pool=True)
    return {
        **latency,
        "idle_commands_per_second": commands,
        "bulk_per_second": round(bulk_rate),
        "single_per_second": round(single_rate),
    }


async def measure(directory: Path, *, samples: int, bulk: int) -> dict[str, Any]:
    with embedded_redis.start(directory) as server, embedded_postgres.start(directory) as postgres:
        await upgrade(postgres.url)
        settings = Settings(
            _env_file=None,
            database_url=SecretStr(postgres.url),
            redis_url=SecretStr(server.url),
            data_dir=directory,
        )
        environment = {"DATABASE_URL": postgres.url, "REDIS_URL": server.url, "PRICEMILL_DATA_DIR": str(directory)}
        bare = await measure_bare(environment, samples=max(20, samples // 5), bulk=bulk)
        ours = await measure_ours(settings, environment, samples=samples, bulk=bulk)
    met = {
        name: ours[name] <= limit if name.endswith("_ms") else ours[name] >= limit for name, limit in TARGETS.items()
    }
    return {"pricemill": ours, "bare_arq": bare, "targets": TARGETS, "met": met}


def show(found: dict[str, Any]) -> None:
    rows = (
        ("enqueue → start, p50", "p50_ms", "ms"),
        ("enqueue → start, p99", "p99_ms", "ms"),
        ("Redis commands of an idle worker", "idle_commands_per_second", "/s"),
        ("enqueue in bulk", "bulk_per_second", "/s"),
        ("enqueue one by one", "single_per_second", "/s"),
    )
    print(f"{'':34}{'pricemill':>12}{'bare arq':>12}      target")
    for title, name, unit in rows:
        target = found["targets"].get(name)
        mark = "" if target is None else f"{target:g} {unit} {'met' if found['met'][name] else 'MISSED'}"
        print(f"{title:34}{found['pricemill'][name]:>12,}{found['bare_arq'][name]:>12,} {unit:<4} {mark}")
    print(
        "pricemill: validated, committed in PostgreSQL, claimed there before it starts; bare arq: Redis only, defaults"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--bulk", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pricemill-bench-", ignore_cleanup_errors=True) as directory:
        # The embedded PostgreSQL may run under another account.
        Path(directory).chmod(0o755)
        found = asyncio.run(measure(Path(directory), samples=chosen.samples, bulk=chosen.bulk))
    if chosen.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    return 0 if all(found["met"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
