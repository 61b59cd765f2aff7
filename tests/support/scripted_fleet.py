"""Starts scripted workers as processes and looks into the ledger; fixtures `settings` and `fleet`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from config.settings import Settings
from contracts.task import ParseTask
from workers.producer import Enqueued, Producer

PATIENCE = 60.0
ENDED = {"completed", "dead", "cancelled"}


def scripted(supplier: str, *, seconds: float = 0.0, **more: Any) -> ParseTask:
    """A task that a scripted worker completes after so many seconds."""
    config = {"seconds": seconds, **more.pop("source_config", {})}
    return ParseTask(parser_type="scripted", supplier_name=supplier, source_config=config, **more)


class ScriptedFleet:
    """One database, one queue, any number of scripted workers in processes of their own."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings = settings
        self._directory = directory
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        assert self.settings.database_url is not None
        assert self.settings.redis_url is not None
        given = {
            f"PRICEMILL_{name.upper()}": str(getattr(self.settings, name))
            for name in self.settings.model_fields_set - {"database_url", "redis_url"}
        }
        with (self._directory / f"worker-{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.support.scripted_worker", *arguments],
                env={
                    **os.environ,
                    **given,
                    "DATABASE_URL": self.settings.database_url.get_secret_value(),
                    "REDIS_URL": self.settings.redis_url.get_secret_value(),
                    **environment,
                },
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process

    async def enqueue(self, tasks: Iterable[ParseTask]) -> list[Enqueued]:
        async with Producer(self.settings) as producer:
            return await producer.enqueue_many(tasks)

    async def rows(self, query: str) -> list[dict[str, Any]]:
        assert self.settings.database_url is not None
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            return [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def states(self) -> dict[str, str]:
        """Status by task id."""
        rows = await self.rows("SELECT task_id, status::text FROM tasks ORDER BY id")
        return {row["task_id"]: row["status"] for row in rows}

    async def until(self, seen: Callable[[dict[str, str]], bool], what: str) -> dict[str, str]:
        """Waits until the states are as wanted; fails with the logs of all workers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            states = await self.states()
            if seen(states):
                return states
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain until {what}; now {states}\n{self.logs()}")
            await asyncio.sleep(0.05)

    async def until_ended(self) -> dict[str, str]:
        return await self.until(lambda states: set(states.values()) <= ENDED, "all have ended")

    async def until_running(self, number: int = 1) -> dict[str, str]:
        return await self.until(lambda states: list(states.values()).count("running") >= number, f"{number} run")

    async def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Waits for the end of a worker; its exit code."""
        try:
            return await asyncio.to_thread(process.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker does not end\n{self.logs()}") from None

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}"
            for path in sorted(self._directory.glob("*.log"))
        )

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(PATIENCE)


@pytest.fixture
def settings(database_url: str, redis_url: str, queue_name: str, tmp_path: Path) -> Settings:
    """Leases and sweeps of a second, so that a rescue does not take ten."""
    return Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        data_dir=tmp_path,
        queue_name=queue_name,
        lease_seconds=2.0,
        heartbeat_seconds=0.4,
        sweep_seconds=0.3,
        redeliver_seconds=1.0,
        shutdown_seconds=3.0,
    )


@pytest.fixture
async def fleet(settings: Settings, tmp_path: Path) -> AsyncIterator[ScriptedFleet]:
    started = ScriptedFleet(settings, tmp_path)
    try:
        yield started
    finally:
        started.stop()
