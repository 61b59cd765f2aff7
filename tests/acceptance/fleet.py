"""Real worker processes against real servers, started, watched and killed by the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import asyncpg

from contracts.task import ParseTask
from workers.producer import Producer

ENDED = ("completed", "dead", "cancelled")


@dataclass
class Fleet:
    """One database, one Redis, any number of workers."""

    settings: object
    environment: dict[str, str]
    log_dir: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    def start_worker(
        self, *, module: str = "workers", inside: Sequence[str] = (), code: Path | None = None, **extra: str
    ) -> subprocess.Popen[bytes]:
        """`inside`: the command that runs the worker's, as of another host. `code`: another release's tree."""
        log = (self.log_dir / f"worker-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [*inside, sys.executable, "-m", module],
            env={**os.environ, **self.environment, **extra},
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=code,
        )
        log.close()
        self.processes.append(process)
        return process

    async def enqueue(self, tasks: Iterable[ParseTask]) -> None:
        async with Producer(self.settings) as producer:
            for task in tasks:
                await producer.enqueue(task)

    async def replay(self, *task_ids: str) -> None:
        """What an operator does about dead letters, with the command."""
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "dead", "retry", "--yes", *task_ids],
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
            timeout=60,
        )

    async def states(self) -> dict[str, str]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return {row[0]: row[1] for row in await connection.fetch("SELECT task_id, status::text FROM tasks")}
        finally:
            await connection.close()

    async def until_ended(self, *, within: float = 120.0, count: int | None = None) -> dict[str, str]:
        """Waits until every task has reached an end state; fails with the logs if that takes too long."""
        deadline = monotonic() + within
        while True:
            states = await self.states()
            if states and (count is None or len(states) >= count) and all(s in ENDED for s in states.values()):
                return states
            if monotonic() > deadline:
                raise AssertionError(f"still {states} after {within} s\n{self.logs()}")
            await asyncio.sleep(0.2)

    async def until_dead(self, process: subprocess.Popen[bytes], *, within: float = 60.0) -> int:
        """Waits until a worker has died (of its failpoint) and returns its exit code."""
        deadline = monotonic() + within
        while process.poll() is None:
            if monotonic() > deadline:
                raise AssertionError(f"the worker did not die\n{self.logs()}")
            await asyncio.sleep(0.05)
        return process.returncode

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n" + path.read_text(errors="replace")[-4000:]
            for path in sorted(self.log_dir.glob("*.log"))
        )

    def stop(self) -> None:
        """Ends every worker that still runs."""
        for process in self.processes:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
