"""Real worker processes on real servers: killed, asked to stop, cut off from Redis. Nothing accepted is lost."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.support.redis_server import RedisServer
from tests.support.scripted_fleet import ScriptedFleet, fleet, scripted, settings

__all__ = ["fleet", "settings"]

pytestmark = pytest.mark.timeout(120)


def all_completed(states: dict[str, str]) -> bool:
    return bool(states) and set(states.values()) == {"completed"}


async def attempts(fleet: ScriptedFleet) -> list[dict[str, object]]:
    return await fleet.rows("SELECT task_key, epoch, attempt, outcome FROM task_attempts ORDER BY task_key, epoch")


async def test_a_worker_completes_what_was_enqueued_before_and_after_it_started(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("before")])
    fleet.start()
    await fleet.until(all_completed, "the first is completed")
    await fleet.enqueue([scripted("after")])
    assert all_completed(await fleet.until(lambda states: len(states) == 2 and all_completed(states), "both are"))


async def test_a_burst_works_everything_off_and_ends(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted(f"supplier {number % 4}", seconds=0.01) for number in range(20)])
    assert await fleet.ended(fleet.start("--burst")) == 0
    assert all_completed(await fleet.states()), fleet.logs()


async def test_a_task_of_a_killed_worker_is_finished_by_another(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("a", seconds=1.0)])
    doomed = fleet.start()
    await fleet.until_running()
    doomed.send_signal(signal.SIGKILL)
    fleet.start()
    assert all_completed(await fleet.until_ended())
    assert [row["outcome"] for row in await attempts(fleet)] == ["lost", "completed"]


async def test_a_worker_killed_before_its_claim_loses_no_task(fleet: ScriptedFleet) -> None:
    doomed = fleet.start(PRICEMILL_FAILPOINTS="job.received=kill")
    await fleet.enqueue([scripted("a")])
    assert await fleet.ended(doomed) == -signal.SIGKILL
    fleet.start()
    assert all_completed(await fleet.until_ended())


async def test_what_follows_a_task_is_run_though_its_worker_died_before_delivering_it(fleet: ScriptedFleet) -> None:
    doomed = fleet.start(PRICEMILL_FAILPOINTS="task.settled=kill")
    await fleet.enqueue([scripted("same"), scripted("same")])
    assert await fleet.ended(doomed) == -signal.SIGKILL
    fleet.start()
    assert all_completed(await fleet.until_ended())


async def test_a_worker_asked_to_stop_gives_its_task_back_and_leaves(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("a", seconds=1.0)])
    leaving = fleet.start()
    await fleet.until_running()
    leaving.send_signal(signal.SIGTERM)
    assert await fleet.ended(leaving) == 0, fleet.logs()
    assert list((await fleet.states()).values()) == ["queued"]
    fleet.start()
    assert all_completed(await fleet.until_ended())
    assert [row["attempt"] for row in await attempts(fleet)] == [1, 1], "the attempt was given back"


async def test_an_idle_worker_asked_to_stop_leaves_and_is_forgotten(fleet: ScriptedFleet) -> None:
    await fleet.enqueue([scripted("a")])
    leaving = fleet.start()
    await fleet.until_ended()
    assert len(await fleet.rows("SELECT name FROM workers")) == 1
    leaving.send_signal(signal.SIGTERM)
    assert await fleet.ended(leaving) == 0, fleet.logs()
    assert await fleet.rows("SELECT name FROM workers") == []


@pytest.mark.parametrize("signals", [1, 2])
async def test_a_task_that_does_not_listen_cannot_keep_a_worker(fleet: ScriptedFleet, signals: int) -> None:
    await fleet.enqueue([scripted("a", seconds=300, source_config={"deaf": True})])
    leaving = fleet.start(PRICEMILL_SHUTDOWN_SECONDS="2" if signals == 1 else "300")
    await fleet.until_running()
    for _ in range(signals):
        leaving.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
    assert await fleet.ended(leaving) == 0, fleet.logs()


async def test_flushall_with_tasks_queued_and_running_loses_none(
    fleet: ScriptedFleet, redis_server: RedisServer
) -> None:
    await fleet.enqueue([scripted(f"supplier {number}", seconds=0.3) for number in range(25)])
    fleet.start()
    await fleet.until_running(5)
    redis_server.flush()
    assert all_completed(await fleet.until_ended())


async def test_redis_restarted_empty_loses_none_and_costs_no_attempt(
    fleet: ScriptedFleet, redis_server: RedisServer
) -> None:
    await fleet.enqueue([scripted(f"supplier {number}", seconds=0.3) for number in range(25)])
    worker = fleet.start()
    await fleet.until_running(5)
    redis_server.kill()
    await fleet.until(lambda states: list(states.values()).count("completed") >= 5, "running tasks end without Redis")
    redis_server.start()
    assert all_completed(await fleet.until_ended())
    assert worker.poll() is None, "the worker survived"
    assert {row["attempt"] for row in await attempts(fleet)} == {1}


async def test_a_worker_that_starts_without_redis_works_once_it_is_there(
    fleet: ScriptedFleet, redis_server: RedisServer
) -> None:
    redis_server.kill()
    assert [answer.delivered for answer in await fleet.enqueue([scripted("a")])] == [False]
    worker = fleet.start()
    await asyncio.sleep(0.5)
    assert worker.poll() is None, fleet.logs()
    redis_server.start()
    assert all_completed(await fleet.until_ended())


async def test_a_frozen_redis_delays_and_loses_nothing(fleet: ScriptedFleet, redis_server: RedisServer) -> None:
    await fleet.enqueue([scripted(f"supplier {number}", seconds=0.3) for number in range(10)])
    fleet.start()
    await fleet.until_running(5)
    redis_server.freeze()
    await fleet.until(lambda states: list(states.values()).count("completed") >= 5, "running tasks end without Redis")
    redis_server.thaw()
    assert all_completed(await fleet.until_ended())
