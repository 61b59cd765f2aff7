"""I1, I2, I5–I9: whatever is killed, wherever, the tables equal those of an undisturbed run."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.failpoints import FAILPOINTS
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal, broken_invariants

pytestmark = pytest.mark.acceptance

OF_PRODUCERS = [name for name in FAILPOINTS if name.startswith("producer.")]
OF_COMMANDS = [name for name in FAILPOINTS if name.startswith(("hold.", "revert.", "answer.", "fix."))]
OF_SCHEDULES = [name for name in FAILPOINTS if name.startswith("schedule.")]  # tests/acceptance/test_schedules.py
OF_WORKERS = [name for name in FAILPOINTS if name not in OF_PRODUCERS + OF_COMMANDS + OF_SCHEDULES]


@pytest.mark.parametrize("failpoint", OF_WORKERS)
async def test_a_worker_killed_between_two_steps_changes_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path, failpoint: str
) -> None:
    await fleet.enqueue(all_tasks(lists))
    # The first worker dies at the first passage, the second at the third; the next one is left alone.
    for passage in (1, 3):
        victim = fleet.start_worker(PRICEMILL_FAILPOINTS=f"{failpoint}=kill:{passage}")
        assert await fleet.until_dead(victim) == -signal.SIGKILL
    fleet.start_worker()
    await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)


@pytest.mark.parametrize("failpoint", OF_PRODUCERS)
async def test_a_producer_killed_behind_its_commit_loses_no_task(
    fleet: Fleet, undisturbed: Tables, lists: Path, tmp_path: Path, failpoint: str
) -> None:
    orders = tmp_path / "tasks.jsonl"
    orders.write_text("".join(json.dumps(task.document()) + "\n" for task in all_tasks(lists)))
    environment = {**os.environ, **fleet.environment, "PRICEMILL_FAILPOINTS": f"{failpoint}=kill"}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "cli", "enqueue", str(orders)], env=environment, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL
    fleet.start_worker()
    await fleet.until_ended(count=len(all_tasks(lists)))
    await assert_equal(fleet.database_url, undisturbed)


@pytest.mark.parametrize("seed", range(3))
async def test_any_number_of_kills_at_any_moment_changes_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path, seed: int
) -> None:
    dice = random.Random(seed)
    await fleet.enqueue(all_tasks(lists))
    for _ in range(6):
        worker = fleet.start_worker()
        await asyncio.sleep(dice.uniform(0.9, 2.5))
        worker.send_signal(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        await fleet.until_dead(worker)
    fleet.start_worker()
    fleet.start_worker()
    await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)


async def test_a_zombie_that_wakes_after_its_lease_writes_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path
) -> None:
    await fleet.enqueue(all_tasks(lists))
    zombie = fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.staged=stop:2")
    await asyncio.sleep(2)
    fleet.start_worker()
    await fleet.until_ended()
    zombie.send_signal(signal.SIGCONT)
    await asyncio.sleep(1)
    await assert_equal(fleet.database_url, undisturbed)


async def test_another_worker_takes_over_within_thirty_seconds_at_the_default_settings(
    make_fleet: MakeFleet, undisturbed: Tables, lists: Path
) -> None:
    fleet = make_fleet(
        PRICEMILL_LEASE_SECONDS="10",
        PRICEMILL_HEARTBEAT_SECONDS="3",
        PRICEMILL_SWEEP_SECONDS="2",
        PRICEMILL_REDELIVER_SECONDS="10",
    )
    await fleet.enqueue(all_tasks(lists))
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.before_commit=kill:2")
    await fleet.until_dead(victim)
    fleet.start_worker()
    await fleet.until_ended(within=30)
    await assert_equal(fleet.database_url, undisturbed)


async def test_redis_flushed_with_tasks_queued_and_running_loses_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path, redis_server: Any
) -> None:
    await fleet.enqueue(all_tasks(lists))
    fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.read=sleep:0.3")
    for _ in range(4):
        with redis_server.client as client:
            client.flushall()
        await asyncio.sleep(0.7)
    await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)


async def test_redis_restarted_empty_loses_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path, redis_server: Any
) -> None:
    await fleet.enqueue(all_tasks(lists))
    fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.read=sleep:0.3")
    for _ in range(3):
        await asyncio.sleep(0.8)
        redis_server.restart_empty()
    await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)


async def test_a_poison_task_is_buried_and_the_others_go_on(fleet: Fleet, lists: Path) -> None:
    tasks = all_tasks(lists)
    await fleet.enqueue([tasks[1]])
    for _ in range(3):
        victim = fleet.start_worker(PRICEMILL_FAILPOINTS="plan.made=kill")
        await fleet.until_dead(victim)
        await asyncio.sleep(3.5)
    await fleet.enqueue([tasks[2]])
    fleet.start_worker()
    assert await fleet.until_ended(count=2) == {"task-2": "dead", "task-3": "completed"}
    assert await broken_invariants(fleet.database_url) == {}
