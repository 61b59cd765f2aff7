"""I5, I7: whatever becomes of connections to PostgreSQL, the tables equal those of an undisturbed run."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from db import embedded
from db.embedded_account import server_pid
from db.engine import upgrade
from tests.acceptance.conftest import MakeFleet, fleet_of
from tests.acceptance.fleet import ENDED, Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal
from tests.support.postgres_proxy import Cut, Decide, Request, postgres_proxy

pytestmark = pytest.mark.acceptance

LOADER = "pricemill-loader"
THRICE = 3
"""As often as a loader tries one chunk before it gives the task back."""
SLOWLY = "chunk.read=sleep:0.1"

CHUNKS = """
SELECT coalesce(sum(newest), 0) FROM (SELECT max(sequence) AS newest FROM checkpoints GROUP BY task_key) AS of_tasks
"""
GIVEN_BACK = "SELECT count(*) FROM task_attempts WHERE error->>'code' = 'database_unavailable'"
TERMINATE = """
SELECT application_name, pg_terminate_backend(pid) AS ended FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def ask(url: str, question: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(question))
    finally:
        await connection.close()


async def load_through(fleet: Fleet, lists: Path, decide: Decide) -> list[tuple[Request, Cut]]:
    """Does all tasks with one worker behind the proxy; what was cut on the way."""
    await fleet.enqueue(all_tasks(lists))
    async with postgres_proxy(fleet.database_url, decide) as (url, proxy):
        fleet.start_worker(DATABASE_URL=url)
        try:
            await fleet.until_ended()
        finally:
            await asyncio.to_thread(fleet.stop)  # a thread: what the worker says last comes through this loop
    return proxy.cuts


def of_chunk(request: Request) -> bool:
    """What commits a chunk: COMMIT, or the one statement that stores a chunk without items. The loader's other
    transactions, which change settings for their time, are none."""
    if request.application != LOADER:
        return False
    if request.is_commit:
        return not any(text.strip().startswith("SET LOCAL") for text in request.before)
    return "INSERT INTO checkpoints" in request.text and not request.before


def at_commits(cut_of: Callable[[int], Cut | None]) -> Decide:
    """Cuts as `cut_of` says of the chunks' commits, counted from 1."""
    numbers = count(1)
    return lambda request: cut_of(next(numbers)) if of_chunk(request) else None


@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
async def test_a_connection_that_is_cut_at_the_commit_of_every_chunk_doubles_and_loses_nothing(
    make_fleet: MakeFleet, undisturbed: Tables, lists: Path, cut: Cut
) -> None:
    fleet = make_fleet(PRICEMILL_CONCURRENCY="1", PRICEMILL_CHUNK_SIZE="500")
    cuts = await load_through(fleet, lists, at_commits(lambda number: cut if number % 2 else None))
    # Cut, repeated in peace, and the next one: so every chunk has met it, those without items up to twice.
    assert len(cuts) >= await ask(fleet.database_url, CHUNKS) > 0
    assert await ask(fleet.database_url, GIVEN_BACK) == 0
    await assert_equal(fleet.database_url, undisturbed)


async def test_a_chunk_that_is_cut_off_until_its_worker_gives_up_is_neither_doubled_nor_lost(
    make_fleet: MakeFleet, undisturbed: Tables, lists: Path
) -> None:
    fleet = make_fleet(PRICEMILL_CONCURRENCY="1")
    runs = {2: Cut.BEFORE, 8: Cut.AFTER, 14: Cut.LATE}
    cut_of = {first + more: cut for first, cut in runs.items() for more in range(THRICE)}
    cuts = await load_through(fleet, lists, at_commits(cut_of.get))
    assert [cut for _, cut in cuts] == [cut for cut in runs.values() for _ in range(THRICE)]
    assert await ask(fleet.database_url, GIVEN_BACK) == len(runs)
    await assert_equal(fleet.database_url, undisturbed)


async def test_connections_that_are_cut_at_any_request_change_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path
) -> None:
    dice = random.Random(1)
    left = 25

    def decide(request: Request) -> Cut | None:
        nonlocal left
        if not left or dice.random() > (0.3 if request.is_commit else 0.04):
            return None
        left -= 1
        return dice.choice(list(Cut))

    cuts = await load_through(fleet, lists, decide)
    assert len(cuts) > 10
    await assert_equal(fleet.database_url, undisturbed)


async def test_backends_terminated_again_and_again_change_nothing(
    fleet: Fleet, undisturbed: Tables, lists: Path
) -> None:
    await fleet.enqueue(all_tasks(lists))
    fleet.start_worker(PRICEMILL_FAILPOINTS=SLOWLY)
    rounds = 6
    connection = await asyncpg.connect(fleet.database_url)
    try:
        deadline = monotonic() + 60
        while rounds and monotonic() < deadline:
            await asyncio.sleep(0.15)
            loading = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
                LOADER,
            )
            if loading:
                ended = await connection.fetch(TERMINATE)
                rounds -= any(row["application_name"] == LOADER and row["ended"] for row in ended)
    finally:
        await connection.close()
    assert not rounds, "the worker never loaded"
    await fleet.until_ended()
    await assert_equal(fleet.database_url, undisturbed)


@pytest.fixture
def own_postgres() -> Iterator[embedded.EmbeddedPostgres]:
    """A server of the test's own, as durable as those of users, because it is killed."""
    directory = Path(tempfile.mkdtemp(prefix="pricemill-own-"))
    server = embedded.start(directory)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(directory, ignore_errors=True)


def crash(server: embedded.EmbeddedPostgres) -> None:
    """Ends the server without a farewell; its log has to be replayed."""
    cluster = server.directory / "postgres"
    pid = server_pid(cluster)
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    deadline = monotonic() + 30
    while server_pid(cluster) is not None:
        assert monotonic() < deadline, "PostgreSQL does not end"


async def test_a_postgres_that_crashes_and_comes_back_has_lost_and_doubled_nothing(
    own_postgres: embedded.EmbeddedPostgres, redis_url: str, undisturbed: Tables, lists: Path, tmp_path: Path
) -> None:
    await upgrade(own_postgres.url)
    fleet = fleet_of(own_postgres.url, redis_url, lists, tmp_path / "fleet")
    await fleet.enqueue(all_tasks(lists))
    fleet.start_worker(PRICEMILL_FAILPOINTS=SLOWLY)
    try:
        deadline = monotonic() + 60
        while await ask(own_postgres.url, CHUNKS) < 3:
            assert monotonic() < deadline, fleet.logs()
            await asyncio.sleep(0.05)
        await asyncio.to_thread(crash, own_postgres)
        await asyncio.sleep(1)
        with await asyncio.to_thread(embedded.start, own_postgres.directory) as again:
            assert set((await fleet.states()).values()) - set(ENDED), "it came too late to disturb"
            await fleet.until_ended()
            await assert_equal(again.url, undisturbed)
    finally:
        await asyncio.to_thread(fleet.stop)
