"""I23: whatever PostgreSQL refuses, and for however long, no task is dead for it; work goes on when it has healed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from db.engine import upgrade
from tests.acceptance.conftest import fleet_of
from tests.acceptance.fleet import ENDED, Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal
from tests.support.own_postgres import OwnPostgres

pytestmark = pytest.mark.acceptance

SLOWLY = "chunk.read=sleep:0.15"
REFUSALS = {
    "in the way": ("40001", "40P01", "55P03", "57014"),
    "out of something": ("53100", "53200", "53300", "58030", "25006"),
}
"""Serialisation failure, deadlock, lock time-out, statement time-out; disk, memory, connections, device, read-only."""
REFUSED = ("tasks", "checkpoints", "parsing_logs", "supplier_items", "price_history", "task_attempts")
OFTEN = 30
"""So many statements are refused, each third of those that write."""

TROUBLE = f"""
CREATE SEQUENCE trouble;
CREATE FUNCTION make_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE number bigint := nextval('trouble');
BEGIN
  IF number % 3 = 0 AND number <= {3 * OFTEN} THEN
    RAISE EXCEPTION 'trouble that a test makes' USING ERRCODE = TG_ARGV[number / 3 % TG_NARGS];
  END IF;
  RETURN NULL;
END $$;
"""
MEANWHILE = """
SELECT (SELECT count(*) FROM tasks WHERE status = 'dead' AND task_id <> 'task-5') AS dead,
       (SELECT coalesce(sum(newest), 0) FROM (SELECT max(sequence) AS newest FROM checkpoints GROUP BY task_key) c)
         AS chunks
"""
"""task-5 is of a file that is none."""
COUNTED = "SELECT max(attempt) FROM tasks WHERE status = 'completed'"


async def ask(url: str, statement: str) -> asyncpg.Record:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchrow(statement)
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def on_blank(blank_url: str, redis_url: str, lists: Path, tmp_path: Path) -> Fleet:
    """A fleet on a database that the test may change."""
    await upgrade(blank_url)
    return fleet_of(blank_url, redis_url, lists, tmp_path / "fleet")


@pytest.mark.parametrize("kind", REFUSALS)
async def test_statements_that_are_refused_again_and_again_change_nothing(
    on_blank: Fleet, undisturbed: Tables, lists: Path, kind: str
) -> None:
    fleet, url = on_blank, on_blank.database_url
    states = ", ".join(f"'{state}'" for state in REFUSALS[kind])
    await fleet.enqueue(all_tasks(lists))
    await execute(
        url,
        TROUBLE
        + "".join(
            f"CREATE TRIGGER trouble BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION make_trouble({states});"
            for table in REFUSED
        ),
    )
    worker = fleet.start_worker()
    try:
        await fleet.until_ended()
        assert worker.poll() is None, fleet.logs()
    finally:
        await asyncio.to_thread(fleet.stop)
    assert (await ask(url, "SELECT last_value FROM trouble"))[0] >= 3 * OFTEN
    assert (await ask(url, COUNTED))[0] == 1, "an attempt was used up"
    await assert_equal(url, undisturbed)


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[OwnPostgres]:
    own = OwnPostgres()
    try:
        own.start()
        yield own
    finally:
        own.remove()


class Trouble:
    """A fleet at work on a server of its own, and the moment from which on nothing can be written."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.url = fleet.database_url

    async def chunks(self) -> int:
        found = await ask(self.url, MEANWHILE)
        assert found["dead"] == 0, self.fleet.logs()
        return int(found["chunks"])

    async def until_loading(self, chunks: int = 2) -> None:
        deadline = monotonic() + 60
        while await self.chunks() < chunks:
            assert monotonic() < deadline, self.fleet.logs()
            await asyncio.sleep(0.05)

    async def nothing_is_written_for(self, seconds: float) -> None:
        """Fails if a task dies meanwhile. What was under way when it began may still be committed."""
        await asyncio.sleep(1)
        before = await self.chunks()
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            assert await self.chunks() == before
            await asyncio.sleep(0.2)


AtWork = Callable[..., AbstractAsyncContextManager[Trouble]]


@pytest.fixture
def at_work(own_postgres: OwnPostgres, redis_url: str, lists: Path, tmp_path: Path, undisturbed: Tables) -> AtWork:
    """Makes a fleet that loads; behind the block, everything ends as if nothing had happened, and by the same
    worker."""

    @asynccontextmanager
    async def begin(options: str = "") -> AsyncIterator[Trouble]:
        name = f"trouble_{os.urandom(4).hex()}"
        own_postgres.server.psql(f"CREATE DATABASE {name} {options}")
        url = own_postgres.server.url_of(name)
        await upgrade(url)
        fleet = fleet_of(url, redis_url, lists, tmp_path / "fleet")
        await fleet.enqueue(all_tasks(lists))
        worker = fleet.start_worker(PRICEMILL_FAILPOINTS=SLOWLY)
        trouble = Trouble(fleet)
        try:
            await trouble.until_loading()
            yield trouble
            await fleet.until_ended()
            assert worker.poll() is None, fleet.logs()
        finally:
            await asyncio.to_thread(fleet.stop)
        await assert_equal(url, undisturbed)
        own_postgres.server.psql(f"DROP DATABASE {name} WITH (FORCE)")

    return begin


async def test_a_server_that_is_read_only_for_a_while_delays_and_changes_nothing(
    own_postgres: OwnPostgres, at_work: AtWork
) -> None:
    async with at_work() as trouble:
        own_postgres.server.psql("ALTER SYSTEM SET default_transaction_read_only = on")
        own_postgres.server.psql("SELECT pg_reload_conf()")
        try:
            await trouble.nothing_is_written_for(6)
            assert set((await trouble.fleet.states()).values()) - set(ENDED), "it came too late to disturb"
        finally:
            own_postgres.server.psql("ALTER SYSTEM RESET default_transaction_read_only")
            own_postgres.server.psql("SELECT pg_reload_conf()")


async def test_a_server_without_a_free_connection_delays_and_changes_nothing(at_work: AtWork) -> None:
    async with at_work() as trouble:
        taken = [await asyncpg.connect(trouble.url)]
        await taken[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        refused = 0
        deadline = monotonic() + 6
        try:
            while monotonic() < deadline:
                try:
                    taken.append(await asyncpg.connect(trouble.url))
                except asyncpg.TooManyConnectionsError:
                    refused += 1
                    await asyncio.sleep(0.05)
            assert refused > 10
            assert (await taken[0].fetchrow(MEANWHILE))["dead"] == 0
        finally:
            for connection in taken:
                connection.terminate()
        await trouble.until_loading()


async def test_tables_that_are_locked_for_longer_than_anyone_waits_delay_and_change_nothing(at_work: AtWork) -> None:
    async with at_work() as trouble:
        blocker = await asyncpg.connect(trouble.url)
        try:
            await blocker.execute("BEGIN; LOCK TABLE supplier_items IN ACCESS EXCLUSIVE MODE")
            await trouble.nothing_is_written_for(12)
        finally:
            blocker.terminate()


@pytest.fixture
def small_disk(own_postgres: OwnPostgres) -> Iterator[Path]:
    """A file system of 40 MB that belongs to the server's account."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="pricemill-disk-"))
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=40m,mode=755", "tmpfs", str(folder)], check=False)
    if done.returncode:
        folder.rmdir()
        pytest.skip("this machine does not let a test mount a disk")
    try:
        data = folder / "data"
        data.mkdir(mode=0o700)
        owner = (own_postgres.directory / "postgres").stat()
        os.chown(data, owner.st_uid, owner.st_gid)
        folder.parent.joinpath(folder.name).chmod(0o755)
        own_postgres.server.psql(f"CREATE TABLESPACE small LOCATION '{data}'")
        try:
            yield folder
        finally:
            (folder / "filler").unlink(missing_ok=True)
            for name in own_postgres.server.psql(
                "SELECT datname FROM pg_database JOIN pg_tablespace s ON s.oid = dattablespace WHERE spcname = 'small'"
            ).split():
                own_postgres.server.psql(f"DROP DATABASE {name} WITH (FORCE)")
            own_postgres.server.psql("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(8192))
        except OSError:
            return


async def test_a_full_disk_delays_and_changes_nothing(at_work: AtWork, small_disk: Path) -> None:
    async with at_work("TABLESPACE small") as trouble:
        fill(small_disk)
        deadline = monotonic() + 60
        while "No space left" not in trouble.fleet.logs():
            assert monotonic() < deadline, trouble.fleet.logs()
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        assert set((await trouble.fleet.states()).values()) - set(ENDED), "it came too late to disturb"
        (small_disk / "filler").unlink()
