"""One seed: a fleet loads its lists while faults come by chance, and ends with the tables of an undisturbed run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import asyncpg

from contracts.errors import DatabaseUnavailable
from contracts.task import ParseTask
from tests.acceptance.fleet import ENDED, Fleet
from tests.acceptance.tables import Tables, logical_tables
from tests.chaos.faults import FAULTS, Fault, Nobody
from tests.chaos.recovery import AWAY, Recovered
from tests.chaos.site import Servers, Site, fleet_at, site_of
from tests.support.invariants import broken_invariants
from workers.producer import Producer

WORKERS = 3
FAULTS_OF_A_SEED = 9
LONGEST = 300.0
"""Seconds until a seed that has not ended has failed."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How hard a seed is hit."""

    faults: int = FAULTS_OF_A_SEED
    """At most so many; fewer if the tasks have ended before."""
    between: tuple[float, float] = (1.5, 7.0)
    """Seconds from one fault to the next."""
    chunk_seconds: float = 0.6
    """That a worker pauses before each chunk, so that faults meet it at work."""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    seed: int
    faults: list[str] = field(default_factory=list)
    """What was done, with the seconds from the beginning, in order."""
    recovered: list[Recovered] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What does not hold; empty if the seed is passed."""
    seconds: float = 0.0
    logs: str = ""


class Storm:
    """What happens at one site at the same time."""

    def __init__(self, site: Site, outcome: Outcome, weather: Weather, tasks: Sequence[ParseTask]) -> None:
        self._site = site
        self._outcome = outcome
        self._weather = weather
        self._tasks = tasks
        self._began = monotonic()

    async def rage(self) -> None:
        """Until everything has ended, or for too long."""
        site = self._site
        site.start(WORKERS)
        beside = [asyncio.create_task(work) for work in (site.recovery.watch(), site.supervise(), self._observe())]
        raging = asyncio.create_task(self._faults())
        try:
            async with asyncio.timeout(LONGEST):
                await self._feed()
                await self._until_ended()
        except TimeoutError:
            self._outcome.wrong.append(f"not all has ended after {LONGEST:g} s: {await site.fleet.states()}")
        finally:
            for work in (raging, *beside):
                work.cancel()
            for found in await asyncio.gather(raging, *beside, return_exceptions=True):
                if isinstance(found, Exception):
                    self._outcome.wrong.append(f"the test itself failed: {found!r}")
        self._outcome.recovered = site.recovery.recovered
        self._outcome.seconds = monotonic() - self._began

    async def _feed(self) -> None:
        """Hands the tasks in one after the other, each until it is accepted."""
        dice = random.Random(self._outcome.seed)
        for number, task in enumerate(self._tasks):
            while True:
                try:
                    async with Producer(self._site.fleet.settings) as producer:
                        await producer.enqueue(task)
                    break
                except DatabaseUnavailable:
                    await asyncio.sleep(0.2)
            if number > len(self._tasks) // 3:
                await asyncio.sleep(dice.uniform(0.0, 2.0))

    async def _faults(self) -> None:
        """Each begins whether or not the ones before are over; those that are under way are undone in the end."""
        dice = self._site.dice
        kinds, weights = list(FAULTS), list(FAULTS.values())
        async with asyncio.TaskGroup() as group:
            for _ in range(self._weather.faults):
                await asyncio.sleep(dice.uniform(*self._weather.between))
                group.create_task(self._fault(dice.choices(kinds, weights)[0]))

    async def _fault(self, fault: Fault) -> None:
        began = monotonic() - self._began
        try:
            done = await fault(self._site)
        except Nobody:
            return
        except AWAY as error:
            done = f"{fault.__name__} met another fault: {type(error).__name__}"
        except asyncio.CancelledError:
            self._outcome.faults.append(f"{began:6.1f} s  {fault.__name__}, ended early")
            raise
        self._outcome.faults.append(f"{began:6.1f} s  {done}")

    async def _observe(self) -> None:
        """Whatever is under way, the invariants hold at any moment."""
        while True:
            await asyncio.sleep(1.0)
            try:
                broken = await broken_invariants(self._site.fleet.database_url)
            except AWAY:
                continue
            if broken:
                self._outcome.wrong.append(f"at {monotonic() - self._began:.1f} s: {broken}")

    async def _until_ended(self) -> None:
        while True:
            try:
                states = await self._site.fleet.states()
            except AWAY:
                states = {}
            if len(states) == len(self._tasks) and set(states.values()) <= set(ENDED):
                return
            await asyncio.sleep(0.2)


def environment_of(weather: Weather) -> dict[str, str]:
    return {"PRICEMILL_FAILPOINTS": f"chunk.read=sleep:{weather.chunk_seconds}", **weather.environment}


async def undisturbed(servers: Servers, lists: Path, home: Path, tasks: Sequence[ParseTask]) -> Tables:
    """The tables after one worker has done all tasks in peace."""
    url = await servers.database()
    fleet: Fleet = fleet_at(servers, url, lists, home, {})
    await fleet.enqueue(tasks)
    fleet.start_worker()
    try:
        await fleet.until_ended()
    finally:
        await asyncio.to_thread(fleet.stop)
    broken = await broken_invariants(url, at_rest=True)
    assert not broken, broken
    tables = await logical_tables(url)
    servers.drop(url)
    return tables


async def run_seed(
    servers: Servers,
    seed: int,
    *,
    calm: Tables,
    lists: Path,
    home: Path,
    tasks: Sequence[ParseTask],
    weather: Weather,
) -> Outcome:
    """The same seed draws the same faults; what they meet depends on the machine, too."""
    outcome = Outcome(seed)
    servers.redis.flush()
    url = await servers.database()
    fleet = fleet_at(servers, url, lists, home, environment_of(weather))
    async with site_of(servers, fleet, random.Random(seed)) as site:
        await Storm(site, outcome, weather, tasks).rage()
        outcome.wrong += await site.leave()
    tables = await logical_tables(url)
    for name, rows in calm.items():
        if tables[name] != rows:
            outcome.wrong.append(f"{name} differs: {difference(tables[name], rows)}")
    broken = await broken_invariants(url, at_rest=True)
    if broken:
        outcome.wrong.append(f"in the end: {broken}")
    outcome.wrong += await defects(url)
    if outcome.wrong:
        outcome.logs = fleet.logs()
    else:
        servers.drop(url)
    return outcome


def difference(found: Sequence[tuple[object, ...]], wanted: Sequence[tuple[object, ...]]) -> str:
    """The first rows that are too many and too few."""
    many = [row for row in found if row not in wanted]
    few = [row for row in wanted if row not in found]
    return f"{len(many)} too many, as {many[:1]}; {len(few)} too few, as {few[:1]}"


async def defects(url: str) -> list[str]:
    """What a fault led to that no table of errors knows: it would use up an attempt."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT error->>'message' AS said FROM task_attempts WHERE error->>'code' = 'unexpected'"
        )
    finally:
        await connection.close()
    return [f"taken for a defect: {row['said']}" for row in rows]
