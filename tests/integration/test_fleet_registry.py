"""Real worker processes that are asked to drain or to start anew, and one whose death is seen."""

from __future__ import annotations

import asyncio
import signal

import pytest

from contracts.controls import Limit, Pause
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


async def test_a_long_task_gives_its_slot_to_a_waiting_supplier_and_goes_on_afterwards(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("giant", seconds=4.0)])
    fleet.start(PRICEMILL_CONCURRENCY="1", PRICEMILL_SLICE_SECONDS="0.5")
    await fleet.until_running()
    await fleet.enqueue([scripted("small")])
    await fleet.until_ended()
    ends = await fleet.rows("SELECT supplier_name, slices, finished_at FROM tasks ORDER BY finished_at")
    assert [row["supplier_name"] for row in ends] == ["small", "giant"], fleet.logs()
    assert ends[1]["slices"] >= 1


async def test_a_paused_running_task_stops_and_goes_on_when_it_is_resumed(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("a", seconds=1.0)])
    fleet.start()
    await fleet.until_running()
    assert fleet.settings.database_url is not None
    async with PostgresLedger.open(fleet.settings.database_url.get_secret_value(), size=1) as ledger:
        await ledger.pause(Pause("parser", "scripted", "me", stop_running=True))
        await fleet.until(lambda states: list(states.values()) == ["queued"], "it has stopped")
        await asyncio.sleep(1.0)
        assert list((await fleet.states()).values()) == ["queued"]
        await ledger.resume("parser", "scripted")
    await fleet.until_ended()
    (task,) = await fleet.rows("SELECT status::text, attempt FROM tasks")
    assert (task["status"], task["attempt"]) == ("completed", 1)


async def test_a_limited_class_is_worked_off_without_a_pause_between_its_tasks(fleet: ScriptedFleet) -> None:
    assert fleet.settings.database_url is not None
    async with PostgresLedger.open(fleet.settings.database_url.get_secret_value(), size=1) as ledger:
        await ledger.set_limit(Limit("parser", "scripted", "me", concurrency=2))
    await fleet.enqueue([scripted(f"s{number}", seconds=0.05) for number in range(40)])
    fleet.start("--burst")
    fleet.start("--burst")
    await fleet.until_ended()
    most = await fleet.rows(
        """SELECT max((SELECT count(*) FROM task_attempts b WHERE b.started_at <= a.started_at
                          AND b.finished_at > a.started_at)) AS most FROM task_attempts a"""
    )
    assert most[0]["most"] == 2
