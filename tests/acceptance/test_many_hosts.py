"""Several hosts, each with a network of its own: one that is cut off loses its tasks, and writes nothing any more."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import all_tasks
from tests.acceptance.tables import Tables, assert_equal
from tests.support.links import listening, postgres_socket
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.acceptance

HOSTS = 2


@dataclass(frozen=True)
class Host:
    """A network namespace and the cable to it."""

    name: str
    cable: str
    here: str
    """Our address on the cable."""

    @property
    def inside(self) -> Sequence[str]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        ip("link", "set", self.cable, "down")

    def heal(self) -> None:
        ip("link", "set", self.cable, "up")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("hosts of their own need root and the command ip")
    made: list[Host] = []
    try:
        for number in range(HOSTS):
            mark = os.urandom(3).hex()
            subnet = f"10.{200 + number}.{os.getpid() % 200}"
            host = Host(f"pm-{mark}", f"pm{mark}", f"{subnet}.1")
            try:
                ip("netns", "add", host.name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"this machine has no network namespaces: {error.stderr.decode().strip()}")
            made.append(host)
            ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            ip("addr", "add", f"{host.here}/30", "dev", host.cable)
            ip("link", "set", host.cable, "up")
            ip("-n", host.name, "addr", "add", f"{subnet}.2/30", "dev", "eth0")
            ip("-n", host.name, "link", "set", "eth0", "up")
        yield made
    finally:
        for host in made:
            ip("netns", "del", host.name)


async def until(fleet: Fleet, question: str, workers: int) -> None:
    connection = await asyncpg.connect(fleet.database_url)
    try:
        deadline = monotonic() + 60
        while await connection.fetchval(question) < workers:
            assert monotonic() < deadline, fleet.logs()
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def test_a_host_that_is_cut_off_loses_its_tasks_and_changes_nothing_when_it_is_back(
    fleet: Fleet, hosts: list[Host], undisturbed: Tables, lists: Path, redis_server: RedisServer
) -> None:
    await fleet.enqueue(all_tasks(lists))
    database = urlsplit(fleet.database_url).path
    async with AsyncExitStack() as ways:
        for host in hosts:
            postgres, _ = await ways.enter_async_context(listening(postgres_socket(fleet.database_url), host.here))
            redis, _ = await ways.enter_async_context(listening(redis_server.socket, host.here))
            fleet.start_worker(
                inside=host.inside,
                DATABASE_URL=f"postgresql://postgres@{host.here}:{postgres}{database}",
                REDIS_URL=f"redis://{host.here}:{redis}/0",
                PRICEMILL_FAILPOINTS="chunk.read=sleep:0.3",
            )
        await until(fleet, "SELECT count(DISTINCT worker) FROM tasks WHERE status = 'running'", HOSTS)
        hosts[0].cut()
        await fleet.until_ended()
        hosts[0].heal()
        await asyncio.sleep(3)  # in which what was cut off may try to write what it still holds
        await asyncio.to_thread(fleet.stop)
    await assert_equal(fleet.database_url, undisturbed)
    connection = await asyncpg.connect(fleet.database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM task_attempts WHERE outcome = 'lost'")
    finally:
        await connection.close()
