"""I24: a worker that has done hundreds of tasks holds no more memory and no more descriptors than before."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from statistics import linear_regression

import pytest

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import ENDED, Fleet
from tests.acceptance.lists import price_list

pytestmark = pytest.mark.acceptance

BATCH = 40
WARM = 3
"""Batches until everything is imported, cached and pooled."""
MEASURED = 6
SUPPLIERS = 8
ROWS = 60
GROWTH_KB_A_TASK = 10.0
"""Less than what one task reads and writes; a leak of its rows, its plan or its connection is more."""


def held(pid: int) -> tuple[int, int]:
    """Resident memory in kB, and open descriptors."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]), len([*Path(f"/proc/{pid}/fd").iterdir()])
    raise AssertionError(pid)


def batch(root: Path, number: int) -> list[ParseTask]:
    tasks = []
    for place in range(BATCH):
        path = root / f"{number}-{place}.csv"
        price_list(path, {f"P-{row}": Decimal(row + 1) + Decimal(number * BATCH + place) / 100 for row in range(ROWS)})
        if place % 10 == 9:
            path.write_text("no list at all\n")
        tasks.append(
            ParseTask(
                task_id=f"{number}-{place}",
                parser_type="csv",
                supplier_name=f"Supplier {place % SUPPLIERS}",
                source_config={"file_path": str(path)},
                max_retries=0,
            )
        )
    return tasks


async def do(fleet: Fleet, tasks: list[ParseTask]) -> None:
    await fleet.enqueue(tasks)
    names = {task.task_id for task in tasks}
    async with asyncio.timeout(120):
        while True:
            states = await fleet.states()
            if all(states[name] in ENDED for name in names):
                return
            await asyncio.sleep(0.1)


async def test_memory_and_descriptors_of_a_worker_do_not_grow_with_its_tasks(
    make_fleet: MakeFleet, tmp_path: Path
) -> None:
    root = tmp_path / "lists"
    root.mkdir()
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(root))
    worker = fleet.start_worker()
    seen = []
    for number in range(WARM + MEASURED):
        await do(fleet, batch(root, number))
        await asyncio.sleep(0.5)  # what a task held is let go behind its settlement
        if number >= WARM:
            seen.append(held(worker.pid))
    done = [BATCH * number for number in range(MEASURED)]
    memory, descriptors = zip(*seen, strict=True)
    assert linear_regression(done, memory).slope < GROWTH_KB_A_TASK, memory
    assert linear_regression(done, descriptors).slope * BATCH < 1, descriptors
