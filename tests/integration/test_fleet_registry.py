"""Real worker processes that are asked to drain or to start anew, and one whose death is seen."""

from __future__ import annotations

import asyncio
import signal

import pytest

from db.ledger import PostgresLedger
from tests.support.scripted_fleet import ScriptedFleet, fleet, scripted, settings
from workers.orphans import hand_back
from workers.stopping import EXIT_RECYCLED

__all__ = ["fleet", "settings"]

pytestmark = pytest.mark.timeout(120)


async def ask(fleet: ScriptedFleet, wish: str | None) -> None:
    assert fleet.settings.database_url is not None
    async with PostgresLedger.open(fleet.settings.database_url.get_secret_value(), size=1) as ledger:
        assert len(await ledger.ask_workers(None, wish)) == 1  # type: ignore[arg-type]


async def workers(fleet: ScriptedFleet) -> list[dict[str, object]]:
    return await fleet.rows("SELECT state, busy FROM workers")


async def until_state(fleet: ScriptedFleet, state: str) -> None:
    for _ in range(600):
        if [row["state"] for row in await workers(fleet)] == [state]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(fleet.logs())


async def test_a_draining_worker_ends_its_task_takes_nothing_new_and_takes_again_when_told(
    fleet: ScriptedFleet,
) -> None:
    await fleet.enqueue([scripted("running", seconds=2.0)])
    worker = fleet.start()
    await fleet.until_running()
    await ask(fleet, "drain")
    await until_state(fleet, "draining")
    await fleet.enqueue([scripted("new")])
    states = await fleet.until(lambda states: "completed" in states.values(), "the running one has ended")
    await asyncio.sleep(1.5)
    states = await fleet.states()
    assert sorted(states.values()) == ["completed", "queued"], fleet.logs()
    assert worker.poll() is None
    await ask(fleet, None)
    await fleet.until_ended()
    assert len(await fleet.rows("SELECT FROM task_attempts")) == 2


async def test_a_recycled_worker_gives_its_task_back_and_leaves_with_its_own_exit_code(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("a", seconds=30.0)])
    worker = fleet.start()
    await fleet.until_running()
    await ask(fleet, "recycle")
    assert await fleet.ended(worker) == EXIT_RECYCLED, fleet.logs()
    (task,) = await fleet.rows("SELECT status::text, attempt FROM tasks")
    assert (task["status"], task["attempt"]) == ("queued", 0)
    assert await workers(fleet) == []


async def test_what_a_worker_held_whose_death_was_seen_is_taken_up_long_before_its_lease_ends(
    fleet: ScriptedFleet,
) -> None:
    await fleet.enqueue([scripted("a", seconds=0.5)])
    doomed = fleet.start(PRICEMILL_LEASE_SECONDS="600")
    await fleet.until_running()
    doomed.send_signal(signal.SIGKILL)
    assert await fleet.ended(doomed) == -signal.SIGKILL
    await asyncio.to_thread(hand_back, fleet.settings, doomed.pid)
    fleet.start()
    await fleet.until_ended()
    outcomes = await fleet.rows("SELECT outcome FROM task_attempts ORDER BY epoch")
    assert [row["outcome"] for row in outcomes] == ["lost", "completed"]
