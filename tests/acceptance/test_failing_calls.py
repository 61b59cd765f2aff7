"""At one failure in ten calls of every neighbour, tasks complete without a person, and nobody is called much more."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import Fleet
from tests.support.https_server import Answer, HttpsServer, certificate, https_server
from tests.support.invariants import broken_invariants
from tests.support.postgres_proxy import Cut, Request, postgres_proxy
from tests.support.redis_proxy import Command, redis_proxy
from tests.support.redis_server import RedisServer
from workers.producer import Producer

pytestmark = pytest.mark.acceptance

TASKS = 24
ROWS = 120
FAILURES = 0.1
COMPLETED = 0.95
CALLS = 2.0
"""At most so many times the calls of a run in which nothing fails."""


def answers() -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for number in range(TASKS):
        lines = ["sku,name,price,currency", *(f"{number}-{row},Part {row},{row + 1}.25,EUR" for row in range(ROWS))]
        found[f"localhost/{number}.csv"] = (200, {"Content-Type": "text/csv"}, "\n".join(lines).encode())
    return found


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[tuple[HttpsServer, Path]]:
    pem = certificate(tmp_path / "localhost.pem", ["localhost"])
    pages = answers()
    with https_server(pem, pages) as server:
        server.answers = {name.replace("localhost", f"localhost:{server.port}"): page for name, page in pages.items()}
        yield server, pem


def tasks(port: int) -> list[ParseTask]:
    return [
        ParseTask(
            task_id=f"t{number}",
            parser_type="csv",
            supplier_name=f"Supplier {number}",
            source_config={"url": f"https://localhost:{port}/{number}.csv"},
        )
        for number in range(TASKS)
    ]


def is_call(request: Request) -> bool:
    """A statement by itself or a whole transaction; not what a new connection is prepared with."""
    verb = request.text.upper().partition(" ")[0].rstrip(";")
    if verb in ("", "BEGIN", "SET", "CREATE") or "typeinfo" in request.text:
        return False
    return request.is_commit or not request.before


INSIDE = {b"EXEC", b"MSET", b"ZADD", b"LPUSH", b"LTRIM", b"LLEN", b"PEXPIRE", b"CLIENT"}
"""Commands that go with another one."""


class Neighbours:
    """Counts the calls, and lets one in ten fail while it is told to."""

    def __init__(self) -> None:
        self.dice = random.Random(7)
        self.share = 0.0
        self.calls = {"PostgreSQL": 0, "Redis": 0, "sources": 0}

    def _fails(self, whom: str) -> bool:
        self.calls[whom] += 1
        return self.dice.random() < self.share

    def postgres(self, request: Request) -> Cut | None:
        return self.dice.choice(list(Cut)) if is_call(request) and self._fails("PostgreSQL") else None

    def redis(self, command: Command) -> Cut | None:
        return self.dice.choice([Cut.BEFORE, Cut.AFTER]) if command[0] not in INSIDE and self._fails("Redis") else None

    def source(self) -> int | None:
        return self.dice.choice([0, 500, 502, 503]) if self._fails("sources") else None


async def test_at_one_failure_in_ten_calls_nineteen_of_twenty_tasks_complete_without_a_person(
    make_fleet: MakeFleet, keeper: tuple[HttpsServer, Path], redis_server: RedisServer
) -> None:
    server, pem = keeper
    fleet = make_fleet(PRICEMILL_ALLOW_PRIVATE_URLS="true", SSL_CERT_FILE=str(pem), PRICEMILL_CHUNK_SIZE="100")
    neighbours = Neighbours()
    server.fails = neighbours.source
    neighbours.share = FAILURES
    await fleet.enqueue(tasks(server.port))
    async with (
        postgres_proxy(fleet.database_url, neighbours.postgres) as (postgres, postgres_link),
        redis_proxy(redis_server.socket, neighbours.redis) as (redis, redis_link),
    ):
        worker = fleet.start_worker(DATABASE_URL=postgres, REDIS_URL=redis)
        states = await fleet.until_ended(within=240)
        assert worker.poll() is None, fleet.logs()
        await asyncio.to_thread(fleet.stop)
    completed = sum(state == "completed" for state in states.values())
    assert completed >= COMPLETED * TASKS, fleet.logs()
    assert len(postgres_link.cuts) > TASKS
    assert redis_link.cuts
    assert await broken_invariants(fleet.database_url, at_rest=True) == {}
    assert await prices(fleet) == completed * ROWS
    # A source is asked once a task in peace. What fails is asked again, and nobody else is for its sake.
    assert TASKS < neighbours.calls["sources"] <= CALLS * TASKS


async def prices(fleet: Fleet) -> int:
    connection = await asyncpg.connect(fleet.database_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM price_history"))
    finally:
        await connection.close()


async def test_every_task_is_accepted_while_redis_is_away(
    make_fleet: MakeFleet, redis_server: RedisServer, keeper: tuple[HttpsServer, Path]
) -> None:
    server, pem = keeper
    fleet = make_fleet(PRICEMILL_ALLOW_PRIVATE_URLS="true", SSL_CERT_FILE=str(pem))
    redis_server.kill()
    accepted = []
    async with Producer(fleet.settings) as producer:
        for number, task in enumerate(tasks(server.port)):
            if number == TASKS // 2:  # it comes back, and does not answer
                redis_server.start()
                redis_server.freeze()
            accepted.append(await producer.enqueue(task))
    redis_server.thaw()
    assert [answer.created for answer in accepted] == [True] * TASKS
    assert set(await fleet.states()) == {answer.task_id for answer in accepted}
    fleet.start_worker()
    assert set((await fleet.until_ended()).values()) == {"completed"}
