"""I14: a checkpoint that is not what was sealed is never gone on from, and the tables end as in one clean run."""

from __future__ import annotations

import signal
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal

pytestmark = pytest.mark.acceptance

NEWEST = "(SELECT max(sequence) FROM checkpoints WHERE task_key = c.task_key)"
DAMAGES = {
    "rows skipped": "UPDATE checkpoints c SET document = jsonb_set(document, '{cursor,row}', to_jsonb("
    f"(document #>> '{{cursor,row}}')::int + 700)) WHERE sequence = {NEWEST}",
    "all empty": "UPDATE checkpoints SET document = '{}'",
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_checkpoint_changes_nothing_in_the_end(
    fleet: Fleet, undisturbed: Tables, lists: Path, damage: str
) -> None:
    await fleet.enqueue(all_tasks(lists))
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.committed=kill:3")
    assert await fleet.until_dead(victim) == -signal.SIGKILL
    connection = await asyncpg.connect(fleet.database_url)
    try:
        done = await connection.execute(DAMAGES[damage])
    finally:
        await connection.close()
    assert done != "UPDATE 0"
    fleet.start_worker()
    await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)
