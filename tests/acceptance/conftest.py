"""Fixtures of the acceptance tests: lists, fleets, and the tables of one undisturbed run."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from db.embedded import EmbeddedPostgres
from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks, write_lists
from tests.acceptance.tables import broken_invariants, logical_tables
from tests.support.redis_server import RedisServer

QUICK = {
    "PRICEMILL_LEASE_SECONDS": "3",
    "PRICEMILL_HEARTBEAT_SECONDS": "0.5",
    "PRICEMILL_SWEEP_SECONDS": "0.5",
    "PRICEMILL_REDELIVER_SECONDS": "2",
}
"""Shorter than the defaults so that many kills fit into one test run; what is waited for is the same."""

MakeFleet = Callable[..., Fleet]


@pytest.fixture(scope="session")
def lists() -> Iterator[Path]:
    """Directory with the sample lists. One path for every run of the session: it stands in the messages."""
    with tempfile.TemporaryDirectory(prefix="pricemill-lists-") as name:
        root = Path(name)
        write_lists(root)
        yield root


def fleet_of(database_url: str, redis_url: str, lists: Path, home: Path, **environment: str) -> Fleet:
    """A fleet without workers yet."""
    home.mkdir(parents=True, exist_ok=True)
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PRICEMILL_DATA_DIR": str(home / "data"),
        "PRICEMILL_SOURCE_ROOTS": str(lists),
        "PRICEMILL_QUEUE_NAME": f"q{uuid.uuid4().hex[:8]}",
        "PRICEMILL_CHUNK_SIZE": "300",
        "PRICEMILL_CONCURRENCY": "2",
        "PRICEMILL_LOG_FORMAT": "json",
        **QUICK,
        **environment,
    }
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        data_dir=home / "data",
        source_roots=(lists,),
        queue_name=values["PRICEMILL_QUEUE_NAME"],
    )
    return Fleet(settings=settings, environment=values, log_dir=home)


@pytest.fixture
def make_fleet(database_url: str, redis_url: str, lists: Path, tmp_path: Path) -> Iterator[MakeFleet]:
    """Makes fleets on this test's database; their workers are ended with the test."""
    made: list[Fleet] = []

    def make(**environment: str) -> Fleet:
        fleet = fleet_of(database_url, redis_url, lists, tmp_path / f"fleet-{len(made)}", **environment)
        made.append(fleet)
        return fleet

    yield make
    for fleet in made:
        fleet.stop()


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    return make_fleet()


@pytest.fixture(scope="session")
def undisturbed(
    postgres: EmbeddedPostgres, template: str, redis_process: RedisServer, lists: Path
) -> dict[str, list[tuple[Any, ...]]]:
    """The tables after one worker has done all tasks in peace."""
    redis_process.start()
    name = f"calm_{uuid.uuid4().hex[:10]}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = postgres.url_of(name)

    async def work() -> dict[str, list[tuple[Any, ...]]]:
        with tempfile.TemporaryDirectory(prefix="pricemill-calm-") as home:
            fleet = fleet_of(url, redis_process.url, lists, Path(home))
            try:
                await fleet.enqueue(all_tasks(lists))
                fleet.start_worker()
                states = await fleet.until_ended()
            finally:
                fleet.stop()
        assert states == {f"task-{n}": "dead" if n == 5 else "completed" for n in range(1, 7)}
        assert await broken_invariants(url) == {}
        return await logical_tables(url)

    with ThreadPoolExecutor(1) as pool:  # a thread: an event loop of pytest-asyncio may be running in ours
        tables = pool.submit(asyncio.run, work()).result()
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")
    assert tables["supplier_items"]
    assert tables["price_history"]
    assert tables["parsing_logs"]
    assert tables["held_rows"]
    return tables
