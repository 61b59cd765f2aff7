"""`python -m tests.chaos.soak`: a fleet that is fed without pause and hit by faults; `make soak`, a day in an hour."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from time import monotonic

from contracts.errors import DatabaseUnavailable
from tests.acceptance.fleet import ENDED, Fleet
from tests.chaos.faults import FAULTS, Nobody
from tests.chaos.lists import SUPPLIERS, order_of, write_lists
from tests.chaos.recovery import AWAY, missed, table
from tests.chaos.site import Servers, Site, fleet_at, servers, site_of
from tests.chaos.storm import defects
from tests.support.invariants import broken_invariants
from workers.producer import Producer

WORKERS = 2
ROWS = 600
VERSIONS = 6
WAITING = 12
"""At most so many tasks wait; then nothing is fed until some are done."""
DRAINS_WITHIN = 180.0
WEIGH_SECONDS = 5.0
SETTLED = 60.0
"""Seconds of a worker's life that do not count: until everything is imported, cached and pooled."""
GROWTH_MB_AN_HOUR = 5.0
COMPLETED = 0.995


@dataclass
class Life:
    """What one worker process held, while it lived."""

    began: float
    seconds: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    descriptors: list[float] = field(default_factory=list)


@dataclass
class Soaked:
    fed: int = 0
    faults: int = 0
    lives: dict[int, Life] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def weigh(pid: int, life: Life) -> None:
    age = monotonic() - life.began
    if age < SETTLED:
        return
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        descriptors = len([*Path(f"/proc/{pid}/fd").iterdir()])
    except OSError:
        return  # it has ended
    kilobytes = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), None)
    if kilobytes is not None:
        life.seconds.append(age)
        life.kilobytes.append(kilobytes)
        life.descriptors.append(descriptors)


class Soak:
    def __init__(self, site: Site, lists: Path, minutes: float, between: float) -> None:
        self._site = site
        self._lists = lists
        self._ends = monotonic() + minutes * 60
        self._between = between
        self.soaked = Soaked()

    async def run(self) -> Soaked:
        site = self._site
        site.start(WORKERS)
        beside = [
            asyncio.create_task(work)
            for work in (site.recovery.watch(), site.supervise(), self._faults(), self._weigh(), self._observe())
        ]
        try:
            await self._feed()
            beside[2].cancel()
            await asyncio.gather(beside[2], return_exceptions=True)
            await self._drain()
        finally:
            for work in beside:
                work.cancel()
            for found in await asyncio.gather(*beside, return_exceptions=True):
                if isinstance(found, Exception):
                    self.soaked.wrong.append(f"the test itself failed: {found!r}")
        self.soaked.wrong += await site.leave()
        return self.soaked

    async def _feed(self) -> None:
        number = 0
        while monotonic() < self._ends:
            supplier = SUPPLIERS[number % len(SUPPLIERS)]
            task = order_of(self._lists, supplier, number // len(SUPPLIERS) % VERSIONS + 1, number=number)
            try:
                if await self._waiting() >= WAITING:
                    await asyncio.sleep(0.2)
                    continue
                async with Producer(self._site.fleet.settings) as producer:
                    await producer.enqueue(task)
                number += 1
            except (DatabaseUnavailable, *AWAY):
                await asyncio.sleep(0.5)
        self.soaked.fed = number

    async def _waiting(self) -> int:
        return sum(state not in ENDED for state in (await self._site.fleet.states()).values())

    async def _drain(self) -> None:
        deadline = monotonic() + DRAINS_WITHIN
        while monotonic() < deadline:
            try:
                if not await self._waiting():
                    return
            except AWAY:
                pass
            await asyncio.sleep(0.5)
        self.soaked.wrong.append(f"unsettled after {DRAINS_WITHIN:g} s: {await self._waiting()} tasks")

    async def _faults(self) -> None:
        kinds, weights = list(FAULTS), list(FAULTS.values())
        dice = self._site.dice
        while True:
            await asyncio.sleep(dice.uniform(0.5, 1.5) * self._between)
            try:
                await dice.choices(kinds, weights)[0](self._site)
                self.soaked.faults += 1
            except (Nobody, *AWAY):
                continue

    async def _weigh(self) -> None:
        while True:
            for place in self._site.places:
                if place.alive:
                    life = self.soaked.lives.setdefault(place.process.pid, Life(monotonic()))
                    weigh(place.process.pid, life)
            await asyncio.sleep(WEIGH_SECONDS)

    async def _observe(self) -> None:
        while True:
            await asyncio.sleep(10.0)
            try:
                broken = await broken_invariants(self._site.fleet.database_url)
            except AWAY:
                continue
            if broken:
                self.soaked.wrong.append(f"meanwhile: {broken}")


async def soak(both: Servers, home: Path, *, minutes: float, between: float, seed: int) -> int:
    lists = home / "lists"
    write_lists(lists, rows=ROWS, versions=VERSIONS)
    url = await both.database()
    fleet: Fleet = fleet_at(both, url, lists, home / "fleet", {})
    async with site_of(both, fleet, random.Random(seed)) as site:
        soaked = await Soak(site, lists, minutes, between).run()
    states = list((await fleet.states()).values())
    soaked.wrong += await defects(url)
    if broken := await broken_invariants(url, at_rest=True):
        soaked.wrong.append(f"in the end: {broken}")
    if len(states) != soaked.fed:
        soaked.wrong.append(f"{soaked.fed} tasks were accepted, {len(states)} are known")
    completed = states.count("completed") / max(len(states), 1)
    if completed < COMPLETED:
        soaked.wrong.append(f"only {completed:.1%} completed")
    soaked.wrong += missed(site.recovery.recovered)
    print(table(site.recovery.recovered))
    print(f"\n{soaked.fed} tasks, {completed:.1%} completed; {soaked.faults} faults in {minutes:g} minutes")
    tell_slopes(soaked)
    for line in soaked.wrong:
        print(f"WRONG {line}")
    return 1 if soaked.wrong else 0


def tell_slopes(soaked: Soaked) -> None:
    """Of the longest life that there was; a short one says nothing about an hour."""
    life = max(soaked.lives.values(), key=lambda one: len(one.seconds), default=None)
    if life is None or len(life.seconds) < 10:
        print("no worker lived long enough to be weighed")
        return
    megabytes = linear_regression(life.seconds, life.kilobytes).slope * 3600 / 1024
    descriptors = linear_regression(life.seconds, life.descriptors).slope * 3600
    span = life.seconds[-1] - life.seconds[0]
    print(
        f"the longest life, {span:.0f} s: {life.kilobytes[0] / 1024:.0f} to {life.kilobytes[-1] / 1024:.0f} MB"
        f" ({megabytes:+.1f} MB/h), {life.descriptors[0]:.0f} to {life.descriptors[-1]:.0f} descriptors"
        f" ({descriptors:+.1f}/h)"
    )
    if span > 1800 and megabytes > GROWTH_MB_AN_HOUR:
        soaked.wrong.append(f"memory grows by {megabytes:.1f} MB an hour, wanted are {GROWTH_MB_AN_HOUR:g}")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if nothing is unsettled, lost or broken in the end, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of feeding (60)")
    parser.add_argument("--between", type=float, default=20.0, help="seconds from one fault to the next, about (20)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="pricemill-soak-"))
    with servers() as both:
        return asyncio.run(soak(both, home, minutes=chosen.minutes, between=chosen.between, seed=chosen.seed))


if __name__ == "__main__":
    sys.exit(main())
