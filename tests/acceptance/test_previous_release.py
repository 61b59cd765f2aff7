"""Rolling deploys: workers of the release before the newest migration and of this one load one queue together."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, logical_tables
from tests.support.invariants import broken_invariants

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
COMPARED = {"supplier_items": slice(0, 6), "price_history": slice(0, 6), "parsing_logs": slice(0, 3)}
"""By table, what every release writes alike: who, what, which price; not how a row is fingerprinted or explained."""


def git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("the previous release is taken from git, which is not installed")
    if done.returncode:
        pytest.skip(f"the previous release is not in this history: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the commit before the one that added the newest migration."""
    added = git("log", "--diff-filter=A", "--format=%H", "-n1", "--", "migrations/versions").decode().strip()
    if not added:
        pytest.skip("this history does not tell when the newest migration was added")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{added}^"))) as tree:
        tree.extractall(folder, filter="data")
    return folder


async def enqueue_with(code: Path, fleet: Fleet, orders: Path) -> None:
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", "enqueue", str(orders)],
        env={**os.environ, **fleet.environment},
        cwd=code,
        check=True,
        capture_output=True,
        timeout=60,
    )


def alike(tables: Tables) -> Tables:
    return {name: [row[part] for row in tables[name]] for name, part in COMPARED.items()}


@pytest.mark.parametrize("first", ["previous", "this"])
async def test_workers_of_two_releases_load_one_queue_and_take_over_from_each_other(
    fleet: Fleet, undisturbed: Tables, lists: Path, previous: Path, first: str
) -> None:
    trees = {"previous": previous, "this": ROOT}
    other = next(name for name in trees if name != first)
    tasks = all_tasks(lists)
    for name, part in ((first, tasks[::2]), (other, tasks[1::2])):
        orders = fleet.log_dir / f"{name}.jsonl"
        orders.write_text("".join(json.dumps(task.document()) + "\n" for task in part))
        await enqueue_with(trees[name], fleet, orders)
    # What one release has left half done, the other finishes; then both work side by side.
    for name in (first, other):
        victim = fleet.start_worker(code=trees[name], PRICEMILL_FAILPOINTS="chunk.committed=kill:3")
        assert await fleet.until_dead(victim) == -signal.SIGKILL
    for tree in trees.values():
        fleet.start_worker(code=tree, PRICEMILL_FAILPOINTS="chunk.read=sleep:0.05")
    states = await fleet.until_ended(count=len(tasks))
    assert states == {task.task_id: "dead" if task.task_id == "task-5" else "completed" for task in tasks}
    assert alike(await logical_tables(fleet.database_url)) == alike(undisturbed)
    assert await broken_invariants(fleet.database_url, at_rest=True) == {}
