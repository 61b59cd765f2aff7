"""Kills a worker before and behind every message that it sends to PostgreSQL and Redis while it does two tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from contracts.task import ParseTask
from tests.acceptance.tables import Tables, logical_tables
from tests.chaos.lists import SUPPLIERS, order_of, write_lists
from tests.chaos.site import Servers, fleet_at
from tests.chaos.storm import difference, undisturbed
from tests.support.invariants import broken_invariants
from tests.support.nursery import Nursery, nursery
from tests.support.postgres_proxy import Cut, Request, postgres_proxy
from tests.support.redis_proxy import Command, redis_proxy

ROWS = 450
"""Three chunks with the header."""
IMPATIENT = {
    "PRICEMILL_LEASE_SECONDS": "2",
    "PRICEMILL_HEARTBEAT_SECONDS": "0.4",
    "PRICEMILL_SWEEP_SECONDS": "0.3",
    "PRICEMILL_REDELIVER_SECONDS": "1",
    "PRICEMILL_CONCURRENCY": "1",
}
AT_ONCE = 4
"""Points that are tried side by side; most of the time of each is spent in waiting for the lease."""
SETTLES_WITHIN = 60.0
SIDES = (Cut.BEFORE, Cut.AFTER)

EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ BEGIN
  EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY CASCADE'
             FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version');
END $$;
"""


@dataclass(frozen=True, slots=True)
class Point:
    """The worker dies at its message of this number, counted from 1; 0 = it lives."""

    number: int
    side: Cut = Cut.BEFORE


@dataclass
class Swept:
    messages: int = 0
    """That a worker sends in peace."""
    killed: list[str] = field(default_factory=list)
    """At what it was killed."""
    left: int = 0
    """Points for which there was no time."""
    wrong: list[str] = field(default_factory=list)


class _Counter:
    """Counts what passes both proxies, and strikes at one message."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self.seen = 0
        self.at = ""
        self.strike: Callable[[], None] = lambda: None

    def of_postgres(self, request: Request) -> Cut | None:
        return self._count(f"{request.application}: {' '.join(request.text.split())[:60] or 'PREPARE'}")

    def of_redis(self, command: Command) -> Cut | None:
        return self._count(f"redis: {b' '.join(command[:2]).decode(errors='replace')}")

    def _count(self, what: str) -> Cut | None:
        self.seen += 1
        if self.seen != self.point.number:
            return None
        self.at = what
        self.strike()
        return self.point.side


class Sweep:
    def __init__(
        self, servers: Servers, workers: Nursery, calm: Tables, home: Path, tasks: Sequence[ParseTask]
    ) -> None:
        self._servers = servers
        self._workers = workers
        self._calm = calm
        self._home = home
        self._tasks = tasks
        self.swept = Swept()

    async def count(self) -> int:
        """Messages of a load in peace; the first one, which the points are numbered after."""
        url = await self._servers.database()
        self.swept.messages = await self._try(Point(0), url)
        self._servers.drop(url)
        return self.swept.messages

    async def lane(self, points: asyncio.Queue[Point], until: float) -> None:
        """One point after the other, in a database of its own."""
        url = await self._servers.database()
        name = self._servers.name_of(url)
        while not points.empty() and monotonic() < until:
            await self._try(points.get_nowait(), url)
            await asyncio.to_thread(self._servers.postgres.server.psql, EMPTY, database=name)
        self._servers.drop(url)

    async def _try(self, point: Point, url: str) -> int:
        home = self._home / f"{point.number}-{point.side.name.lower()}"
        fleet = fleet_at(self._servers, url, self._home / "lists", home, IMPATIENT)
        log = str(home / "worker.log")
        await fleet.enqueue(self._tasks)
        counter = _Counter(point)
        async with (
            postgres_proxy(url, counter.of_postgres) as (postgres, _),
            redis_proxy(self._servers.redis.socket, counter.of_redis) as (redis, _),
        ):
            born: list[int] = []
            counter.strike = lambda: self._workers.kill(born[0])
            born.append(
                await self._workers.start({**fleet.environment, "DATABASE_URL": postgres, "REDIS_URL": redis}, log)
            )
            ended = asyncio.create_task(fleet.until_ended(within=SETTLES_WITHIN))
            dead = asyncio.create_task(self._workers.dead(born[0]))
            try:
                await asyncio.wait({ended, dead}, return_when=asyncio.FIRST_COMPLETED)
                seen = counter.seen
                if dead.done():
                    born.append(await self._workers.start(fleet.environment, log))
                await ended
            except AssertionError as error:
                self.swept.wrong.append(f"{point} at {counter.at}: {str(error)[:300]}")
            finally:
                for pid in born:
                    self._workers.kill(pid)
                    await self._workers.dead(pid)
                for task in (ended, dead):
                    task.cancel()
                await asyncio.gather(ended, dead, return_exceptions=True)
        if counter.at:
            self.swept.killed.append(counter.at)
        await self._compare(f"{point.side.name.lower()} message {point.number}, {counter.at}", url)
        return seen

    async def _compare(self, what: str, url: str) -> None:
        tables = await logical_tables(url)
        for name, rows in self._calm.items():
            if tables[name] != rows:
                self.swept.wrong.append(f"{what}: {name} differs: {difference(tables[name], rows)}")
        if broken := await broken_invariants(url, at_rest=True):
            self.swept.wrong.append(f"{what}: {broken}")


async def sweep(servers: Servers, home: Path, *, every: int = 1, until: float = float("inf")) -> Swept:
    """Every message, or each of so many, before and behind it, as long as there is time."""
    lists = home / "lists"
    write_lists(lists, rows=ROWS)
    tasks = [order_of(lists, SUPPLIERS[0], version, number=version) for version in (1, 2)]
    calm = await undisturbed(servers, lists, home / "calm", tasks)
    async with nursery() as workers:
        own = Sweep(servers, workers, calm, home, tasks)
        messages = await own.count()
        points: asyncio.Queue[Point] = asyncio.Queue()
        for number in range(every, messages + 1, every):
            for side in SIDES:
                points.put_nowait(Point(number, side))
        async with asyncio.TaskGroup() as lanes:
            for _ in range(AT_ONCE):
                lanes.create_task(own.lane(points, until))
    own.swept.left = points.qsize()
    return own.swept
