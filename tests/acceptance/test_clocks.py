"""I22: clocks that are wrong by an hour, or jump by one, on workers and producers change neither results nor timing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal

pytestmark = pytest.mark.acceptance

PRETEND = Path(__file__).parents[1] / "support" / "pretend_clock"
HOUR = 3600
SLOWLY = "chunk.read=sleep:0.1"


@dataclass(frozen=True)
class WrongClock:
    file: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(PRETEND), "PRETEND_CLOCK": str(self.file)}

    def set(self, seconds: float) -> None:
        """Whoever reads it sees the old or the new number, never half of one."""
        draft = self.file.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.replace(self.file)


def clock(folder: Path, name: str, seconds: float) -> WrongClock:
    made = WrongClock(folder / name)
    made.set(seconds)
    return made


async def enqueue(fleet: Fleet, orders: Path, wrong: WrongClock) -> None:
    """By a producer with that clock."""
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", "enqueue", str(orders)],
        env={**os.environ, **fleet.environment, **wrong.environment},
        check=True,
        capture_output=True,
        timeout=60,
    )


async def dates(fleet: Fleet) -> list[asyncpg.Record]:
    """Every time that the ledger holds, and that of its own clock."""
    connection = await asyncpg.connect(fleet.database_url)
    try:
        return await connection.fetch(
            "SELECT now(), t.enqueued_at, t.started_at, t.finished_at, a.started_at AS began, a.finished_at AS ended"
            "  FROM tasks t JOIN task_attempts a ON a.task_key = t.id"
        )
    finally:
        await connection.close()


TELL = """
import os, time
from datetime import UTC, datetime
real = os.stat("/proc/self").st_ctime
print(time.time() - real, time.time_ns() / 1e9 - real, datetime.now(UTC).timestamp() - real)
"""


def test_the_pretended_clock_is_wrong(tmp_path: Path) -> None:
    wrong = clock(tmp_path, "late", -HOUR)
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        env={**os.environ, **wrong.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    assert [round(float(word) / HOUR) for word in told.stdout.split()] == [-1, -1, -1]


@pytest.mark.parametrize("sign", [1, -1])
async def test_workers_and_producers_whose_clocks_are_an_hour_apart_load_as_one(
    fleet: Fleet, undisturbed: Tables, lists: Path, tmp_path: Path, sign: int
) -> None:
    orders = tmp_path / "tasks.jsonl"
    orders.write_text("".join(json.dumps(task.document()) + "\n" for task in all_tasks(lists)))
    ahead, behind = clock(tmp_path, "ahead", sign * HOUR), clock(tmp_path, "behind", -sign * HOUR)
    await enqueue(fleet, orders, ahead)
    # The first meets an unknown error and leaves it to be tried again; what it waits for is measured by nobody's clock.
    fleet.start_worker(PRICEMILL_FAILPOINTS=f"{SLOWLY},plan.made=raise:1", **behind.environment)
    fleet.start_worker(PRICEMILL_FAILPOINTS=SLOWLY, **ahead.environment)
    await fleet.until_ended(within=60)
    for times in await dates(fleet):
        assert all(time is None or abs((times["now"] - time).total_seconds()) < HOUR / 2 for time in times)
    await assert_equal(fleet.database_url, undisturbed)


async def test_clocks_that_jump_while_lists_are_loaded_change_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path, tmp_path: Path
) -> None:
    wrong = clock(tmp_path, "jumping", 0)
    await fleet.enqueue(all_tasks(lists))
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS=f"{SLOWLY},chunk.before_commit=kill:9", **wrong.environment)
    jumps = [HOUR, -HOUR, 0, -HOUR, HOUR]
    while victim.poll() is None:
        wrong.set(jumps[0])
        jumps.append(jumps.pop(0))
        await asyncio.sleep(0.3)
    wrong.set(HOUR)
    fleet.start_worker(PRICEMILL_FAILPOINTS=SLOWLY, **wrong.environment)
    await asyncio.sleep(1)
    wrong.set(-HOUR)
    await fleet.until_ended(within=60)
    await assert_equal(fleet.database_url, undisturbed)
