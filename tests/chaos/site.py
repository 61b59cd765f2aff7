"""What the faults are done to: servers, and workers that are started again whenever they die."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from config.settings import Settings
from db.engine import upgrade
from tests.acceptance.fleet import Fleet
from tests.chaos.recovery import Recovery
from tests.support.own_postgres import OwnPostgres
from tests.support.postgres_proxy import Cut, Request, postgres_proxy
from tests.support.redis_server import RedisServer
from workers.__main__ import EXIT_UNAVAILABLE

TEMPLATE = "chaos_template"
RESTART_SECONDS = 0.5
"""After which a supervisor starts a dead worker again."""
LEAVES_WITHIN = 20.0
"""Seconds that a worker has to leave on SIGTERM, as promised."""
QUICK = {
    "PRICEMILL_LEASE_SECONDS": "3",
    "PRICEMILL_HEARTBEAT_SECONDS": "0.5",
    "PRICEMILL_SWEEP_SECONDS": "0.5",
    "PRICEMILL_REDELIVER_SECONDS": "2",
}
"""Shorter than the defaults, for tests that have no time; recovery is measured with the defaults."""


@dataclass
class Servers:
    """Of one run of many seeds; each seed has a database and a queue of its own. servers() opens them."""

    postgres: OwnPostgres = field(default_factory=OwnPostgres)
    redis: RedisServer = field(default_factory=RedisServer)

    def start(self) -> None:
        self.postgres.start()
        self.redis.start()

    def remove(self) -> None:
        self.redis.remove()
        self.postgres.remove()

    async def migrate(self) -> None:
        """To be done once: the database of which every other is a copy."""
        await asyncio.to_thread(self.postgres.server.psql, f"CREATE DATABASE {TEMPLATE}")
        await upgrade(self.postgres.server.url_of(TEMPLATE))

    async def database(self) -> str:
        """URL of a new, migrated database."""
        name = f"chaos_{uuid.uuid4().hex[:10]}"
        await asyncio.to_thread(self.postgres.server.psql, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.postgres.server.url_of(name)

    def drop(self, url: str) -> None:
        self.postgres.server.psql(f"DROP DATABASE {self.name_of(url)} WITH (FORCE)")

    @staticmethod
    def name_of(url: str) -> str:
        return urlsplit(url).path.removeprefix("/")


@contextmanager
def servers() -> Iterator[Servers]:
    both = Servers()
    try:
        both.start()
        asyncio.run(both.migrate())
        yield both
    finally:
        both.remove()


@dataclass
class Place:
    """Where one worker process stands, and after its death the next one."""

    process: subprocess.Popen[bytes]
    log: Path
    stopped: bool = False
    """By SIGSTOP."""
    leaving: bool = False
    """It got SIGTERM."""

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def listened(self) -> bool:
        """It had come so far as to listen to signals, and was still at work."""
        text = self.log.read_text(errors="replace")
        return '"worker.started"' in text and '"worker.stopped"' not in text


class Site:
    """One seed's fleet, behind a proxy that cuts connections while `cutting` is above 0."""

    def __init__(self, servers: Servers, fleet: Fleet, recovery: Recovery, dice: random.Random) -> None:
        self.servers = servers
        self.fleet = fleet
        self.recovery = recovery
        self.dice = dice
        self.cutting = 0.0
        """Share of requests to PostgreSQL at which the connection is cut."""
        self.cuts = 0
        self.places: list[Place] = []
        self.through = fleet.database_url
        """The way of the workers to PostgreSQL."""
        self.bad_ends: list[str] = []
        """Of workers that ended in another way than the faults explain."""
        self.on_postgres = asyncio.Lock()
        """Held by whoever takes PostgreSQL away."""
        self.on_redis = asyncio.Lock()

    def decide(self, _: Request) -> Cut | None:
        if not self.cutting or self.dice.random() > self.cutting:
            return None
        self.cuts += 1
        return self.dice.choice(list(Cut))

    def start(self, workers: int) -> None:
        self.places = [self._place() for _ in range(workers)]

    def _place(self) -> Place:
        log = self.fleet.log_dir / f"worker-{len(self.fleet.processes)}.log"
        return Place(self.fleet.start_worker(DATABASE_URL=self.through), log)

    async def supervise(self) -> None:
        """Starts dead workers again, until cancelled."""
        while True:
            for number, place in enumerate(self.places):
                if not place.alive:
                    self._note_end(place)
                    await asyncio.sleep(RESTART_SECONDS)
                    self.places[number] = self._place()
            await asyncio.sleep(0.05)

    def _note_end(self, place: Place) -> None:
        """A worker ends when it is killed or asked to, or cannot start without PostgreSQL."""
        code = place.process.returncode
        early = code == -signal.SIGTERM and not place.listened
        if code not in (0, -signal.SIGKILL, EXIT_UNAVAILABLE) and not early:
            self.bad_ends.append(f"{place.log.name} ended with {code}")

    def chosen(self) -> Place | None:
        """A worker that is well, by chance."""
        well = [place for place in self.places if place.alive and not place.stopped and not place.leaving]
        return self.dice.choice(well) if well else None

    async def leave(self) -> list[str]:
        """Asks all workers to stop, and tells which did not do so in time and in good order."""
        bad = []
        for place in self.places:
            if place.alive:
                with suppress(ProcessLookupError):
                    place.process.send_signal(signal.SIGCONT)
                    place.process.terminate()
        for number, place in enumerate(self.places):
            try:
                code = await asyncio.to_thread(place.process.wait, LEAVES_WITHIN)
            except subprocess.TimeoutExpired:
                bad.append(f"worker {number} did not leave within {LEAVES_WITHIN:g} s")
                continue
            if code != 0:
                self._note_end(place)
        return bad + self.bad_ends


def fleet_at(servers: Servers, url: str, lists: Path, home: Path, environment: Mapping[str, str]) -> Fleet:
    """A fleet without workers yet. A poisoned task would end otherwise than in the undisturbed run, so that none is."""
    home.mkdir(parents=True, exist_ok=True)
    values = {
        "DATABASE_URL": url,
        "REDIS_URL": servers.redis.url,
        "PRICEMILL_DATA_DIR": str(home / "data"),
        "PRICEMILL_SOURCE_ROOTS": str(lists),
        "PRICEMILL_QUEUE_NAME": f"q{uuid.uuid4().hex[:8]}",
        "PRICEMILL_CHUNK_SIZE": "200",
        "PRICEMILL_CONCURRENCY": "2",
        "PRICEMILL_LOG_FORMAT": "json",
        "PRICEMILL_POISON_AFTER": "20",
        **environment,
    }
    settings = Settings(
        _env_file=None,
        database_url=url,
        redis_url=servers.redis.url,
        data_dir=home / "data",
        source_roots=(lists,),
        queue_name=values["PRICEMILL_QUEUE_NAME"],
    )
    return Fleet(settings=settings, environment=values, log_dir=home)


@asynccontextmanager
async def site_of(servers: Servers, fleet: Fleet, dice: random.Random) -> AsyncIterator[Site]:
    """A site with its proxy and its watch over recovery; its workers are ended with it."""
    site = Site(servers, fleet, Recovery(fleet.database_url), dice)
    async with postgres_proxy(fleet.database_url, site.decide) as (through, _):
        site.through = through
        try:
            yield site
        finally:
            site.cutting = 0.0
            await asyncio.to_thread(fleet.stop)
