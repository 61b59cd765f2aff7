"""Ours: one worker process takes the list from the queue, as in production."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from config.settings import Settings
from contracts.task import ParseTask
from db.engine import plain_url
from workers.producer import Producer

PATIENCE = 1800.0
ENDED = (
    "SELECT status::text, result, extract(epoch FROM finished_at - enqueued_at)::float8 FROM tasks WHERE task_id = $1"
)


class Loaded(NamedTuple):
    seconds: float
    """From the commit that accepted the task to the commit that ended it, by the database's clock."""
    statistics: dict[str, object]


class WorkerProcess:
    """A real worker; its peak memory is what the kernel says."""

    def __init__(self, process: subprocess.Popen[bytes], settings: Settings) -> None:
        self._process = process
        self._settings = settings

    @property
    def peak_bytes(self) -> int:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError("the worker has died")

    async def load(self, file: Path, *, supplier: str) -> Loaded:
        """Enqueues the list and waits until the task has ended."""
        assert self._settings.database_url is not None
        connection = await asyncpg.connect(plain_url(self._settings.database_url.get_secret_value()))
        try:
            async with Producer(self._settings) as producer:
                task = ParseTask(parser_type="csv", supplier_name=supplier, source_config={"file_path": str(file)})
                await producer.enqueue(task)
            for _ in range(int(PATIENCE / 0.05)):
                status, result, seconds = await connection.fetchrow(ENDED, task.task_id)
                if status == "completed":
                    return Loaded(seconds, json.loads(result)["statistics"])
                if status == "dead" or self._process.poll() is not None:
                    raise RuntimeError(f"the task is {status}: {result}")
                await asyncio.sleep(0.05)
            raise TimeoutError("the task has not ended")
        finally:
            await connection.close()


@contextmanager
def worker(database_url: str, redis_url: str, lists: Path) -> Iterator[WorkerProcess]:
    """Starts a worker of one slot with a queue of its own, and ends it."""
    with tempfile.TemporaryDirectory(prefix="pricemill-bench-") as home:
        queue = f"bench-{Path(home).name}"
        environment = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PRICEMILL_DATA_DIR": home,
            "PRICEMILL_SOURCE_ROOTS": str(lists),
            "PRICEMILL_QUEUE_NAME": queue,
            "PRICEMILL_CONCURRENCY": "1",
            "PRICEMILL_LOG_LEVEL": "WARNING",
        }
        process = subprocess.Popen([sys.executable, "-m", "workers"], env={**os.environ, **environment})
        settings = Settings(
            _env_file=None,
            database_url=database_url,
            redis_url=redis_url,
            data_dir=Path(home),
            queue_name=queue,
        )
        try:
            yield WorkerProcess(process, settings)
        finally:
            process.terminate()
            process.wait(60)
