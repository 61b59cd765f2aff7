"""One worker in a network of the test's own, and what became of each task that it was given."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from contracts.task import ParseTask
from tests.acceptance.fleet import ENDED, Fleet

SECONDS = 30.0
MEMORY = 512 * 1024
"""Kibibytes that each process may have held at most."""


ATTEMPTS = """
SELECT t.id, t.task_id, t.status::text, t.result,
       (SELECT coalesce(sum(extract(epoch FROM finished_at - started_at)), 0) FROM task_attempts
         WHERE task_key = t.id) AS seconds
  FROM tasks t
"""


@dataclass
class Ended:
    """A task at its end, as a person would find it."""

    status: str
    seconds: float
    result: dict[str, Any] | None
    code: str | None = None
    message: str = ""
    next_step: str = ""
    exception: str = ""
    rejected: list[tuple[str, str]] = field(default_factory=list)
    """(reason, what to do) of each rejected row."""
    prices: int = 0
    """Of this task in the history."""


@dataclass
class Lonely:
    """The only worker of its fleet, and the most memory that its processes have held."""

    fleet: Fleet
    process: subprocess.Popen[bytes]
    peaks: dict[str, int] = field(default_factory=dict)
    """Kibibytes by "pid name"."""

    async def work(self, parser_type: str, name: str, source: Mapping[str, Any], supplier: str) -> Ended:
        """Hands in one task and waits for its end."""
        task = ParseTask(
            task_id=name, parser_type=parser_type, supplier_name=supplier, source_config=dict(source), max_retries=0
        )
        await self.fleet.enqueue([task])
        began = monotonic()
        connection = await asyncpg.connect(self.fleet.database_url)
        try:
            while True:
                self._weigh()
                row = await connection.fetchrow("SELECT id, status::text, result FROM tasks WHERE task_id = $1", name)
                if row["status"] in ENDED:
                    return await _ended(connection, row, name, monotonic() - began)
                assert self.process.poll() is None, f"the worker died of {name}\n{self.fleet.logs()}"
                assert monotonic() - began < 3 * SECONDS, f"{name} is still {row['status']}\n{self.fleet.logs()}"
                await asyncio.sleep(0.05)
        finally:
            await connection.close()

    async def all_ended(self, names: Iterable[str], *, within: float) -> dict[str, Ended]:
        """Of tasks that were handed in together; each took as long as its attempt."""
        deadline = monotonic() + within
        connection = await asyncpg.connect(self.fleet.database_url)
        try:
            while await connection.fetchval("SELECT count(*) FROM tasks WHERE status::text <> ALL($1)", list(ENDED)):
                self._weigh()
                assert self.process.poll() is None, f"the worker died\n{self.fleet.logs()}"
                assert monotonic() < deadline, f"still {await self.fleet.states()}"
                await asyncio.sleep(0.05)
            rows = {row["task_id"]: row for row in await connection.fetch(ATTEMPTS)}
            return {name: await _ended(connection, rows[name], name, float(rows[name]["seconds"])) for name in names}
        finally:
            await connection.close()

    def _weigh(self) -> None:
        for pid in _family(self.process.pid):
            try:
                facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            except (OSError, ValueError):
                continue  # it has ended meanwhile
            if "VmHWM" in facts:
                known = f"{pid} {facts['Name'].strip()}"
                self.peaks[known] = max(self.peaks.get(known, 0), int(facts["VmHWM"].split()[0]))


def _family(pid: int) -> list[int]:
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [one for child in thread.read_text().split() for one in _family(int(child))]
        except OSError:
            continue
    return found


async def _ended(connection: Any, row: Any, name: str, seconds: float) -> Ended:
    letters = await connection.fetch("SELECT error FROM dead_letters WHERE task_id = $1", name)
    error = json.loads(letters[0]["error"]) if letters else {}
    rejected = await connection.fetch("SELECT error_type, error_message FROM parsing_logs WHERE task_id = $1", name)
    prices = await connection.fetchval("SELECT count(*) FROM price_history WHERE task_key = $1", row["id"])
    return Ended(
        status=row["status"],
        seconds=seconds,
        result=None if row["result"] is None else json.loads(row["result"]),
        code=error.get("code"),
        message=error.get("message", ""),
        next_step=error.get("next", ""),
        exception=error.get("exception", ""),
        rejected=[(reason["error_type"], reason["error_message"]) for reason in rejected],
        prices=prices,
    )
