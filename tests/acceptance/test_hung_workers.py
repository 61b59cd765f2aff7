"""I20: a worker that does nothing any more ends itself; one that lacks a single server waits for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal
from tests.support.links import Link, link_to_postgres, link_to_redis
from tests.support.redis_server import RedisServer
from workers.watchdog import EXIT_CODE

pytestmark = pytest.mark.acceptance

PATIENCE = "12"
"""Seconds; a worker without room looks at Redis every five."""
IMPATIENT = "tests.support.impatient_worker"


async def until_running(fleet: Fleet) -> None:
    deadline = monotonic() + 60
    while "running" not in (await fleet.states()).values():
        assert monotonic() < deadline, fleet.logs()
        await asyncio.sleep(0.05)


async def test_a_worker_that_hears_from_neither_server_ends_itself_and_another_goes_on(
    fleet: Fleet, undisturbed: Tables, lists: Path, redis_server: RedisServer
) -> None:
    await fleet.enqueue(all_tasks(lists))
    async with (
        link_to_postgres(fleet.database_url) as (postgres, to_postgres),
        link_to_redis(redis_server.socket) as (redis, to_redis),
    ):
        hung = fleet.start_worker(
            module=IMPATIENT,
            IMPATIENT_SECONDS=PATIENCE,
            DATABASE_URL=postgres,
            REDIS_URL=redis,
            PRICEMILL_FAILPOINTS="chunk.read=sleep:0.3",
        )
        await until_running(fleet)
        for link in (to_postgres, to_redis):
            link.silence()
        assert await fleet.until_dead(hung) == EXIT_CODE, fleet.logs()
        assert '"event": "worker.hung"' in fleet.logs()
        fleet.start_worker()
        await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)


@pytest.mark.parametrize("silent", ["postgres", "redis"])
async def test_a_worker_that_lacks_one_server_waits_and_goes_on_by_itself(
    fleet: Fleet, undisturbed: Tables, lists: Path, redis_server: RedisServer, silent: str
) -> None:
    tasks = all_tasks(lists)
    await fleet.enqueue(tasks)
    async with (
        link_to_postgres(fleet.database_url) as (postgres, to_postgres),
        link_to_redis(redis_server.socket) as (redis, to_redis),
    ):
        links: dict[str, Link] = {"postgres": to_postgres, "redis": to_redis}
        worker = fleet.start_worker(
            module=IMPATIENT, IMPATIENT_SECONDS=PATIENCE, DATABASE_URL=postgres, REDIS_URL=redis
        )
        await until_running(fleet)
        links[silent].silence()
        await asyncio.sleep(1.5 * float(PATIENCE))
        assert worker.poll() is None, fleet.logs()
        links[silent].speak()
        await fleet.until_ended()
        assert worker.poll() is None, fleet.logs()
        await asyncio.to_thread(fleet.stop)
    await assert_equal(fleet.database_url, undisturbed)
