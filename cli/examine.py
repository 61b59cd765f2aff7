"""The checks of `pricemill doctor`: each answers one sentence, or raises what is wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli import context
from cli.hand_in import free_bytes, megabytes
from cli.text import plural
from contracts.errors import PricemillError

if TYPE_CHECKING:
    from config.settings import Settings

LEAST_FREE = 1_000_000_000
LARGEST_SKEW = 5.0
OLDEST_POSTGRESQL = 16
OLDEST_REDIS = (6, 2)


class Unwell(PricemillError):
    """a check failed"""


@dataclass(slots=True)
class Patient:
    """An installation under examination; embedded servers are started when first needed and left at the end."""

    settings: Settings
    servers: AsyncExitStack
    urls: dict[str, str] = field(default_factory=dict)

    async def database(self) -> str:
        if "database" not in self.urls:
            if self.settings.database_url is not None:
                self.urls["database"] = self.settings.database_url.get_secret_value()
            else:
                from db import embedded
                from db.engine import upgrade

                server = await asyncio.to_thread(embedded.start, self.settings.data_dir)
                self.servers.push_async_callback(asyncio.to_thread, server.close)
                # As every other command does with a database of our own.
                await upgrade(server.url)
                self.urls["database"] = server.url
        return self.urls["database"]

    async def redis(self) -> str:
        if "redis" not in self.urls:
            if self.settings.redis_url is not None:
                self.urls["redis"] = self.settings.redis_url.get_secret_value()
            else:
                from workers import embedded

                server = await asyncio.to_thread(embedded.start, self.settings.data_dir)
                self.servers.push_async_callback(asyncio.to_thread, server.close)
                self.urls["redis"] = server.url
        return self.urls["redis"]


async def settings(patient: Patient) -> str:
    chosen = patient.settings
    mode = "embedded servers" if context.embedded(chosen) else "a fleet (DATABASE_URL is set)"
    given = len(chosen.model_fields_set)
    return f"{plural(len(type(chosen).model_fields), 'value')}, {given} set by you; {mode}; data in {chosen.data_dir}"


async def postgresql(patient: Patient) -> str:
    from db.engine import check, connect

    url = await patient.database()
    connection = await connect(url)
    try:
        started = time.monotonic()
        version, number = await connection.fetchrow(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int"
        )
        took = 1000 * (time.monotonic() - started)
    finally:
        await connection.close()
    if number // 10_000 < OLDEST_POSTGRESQL:
        raise Unwell(f"{version} is too old; {OLDEST_POSTGRESQL} is needed", next="upgrade PostgreSQL")
    found = await check(url)
    if not found.at_head:
        raise Unwell(f"at revision {found.current or 'nothing'}, not {found.head}", next="pricemill db upgrade")
    if found.drift:
        raise Unwell(f"the tables differ from the code: {found.drift[0]}", next="pricemill db check")
    return f"{version.split()[0]}, {took:.1f} ms, migrations at head ({found.head})"


async def redis(patient: Patient) -> str:
    from workers.health import ping_redis
    from workers.redis_pool import open_redis

    url = await patient.redis()
    started = time.monotonic()
    await ping_redis(url)
    took = 1000 * (time.monotonic() - started)
    client = open_redis(url, queue_name="")
    try:
        facts: dict[str, Any] = await client.info()
    finally:
        await client.aclose(close_connection_pool=True)
    version = str(facts["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        raise Unwell(f"{version} is too old", next="upgrade Redis")
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        # No task is lost (the ledger has them), but each evicted job waits for the sweep.
        raise Unwell(f"maxmemory-policy is {policy}", next="set maxmemory-policy noeviction in Redis")
    return f"{version}, {took:.1f} ms with connecting, maxmemory-policy {policy}"


async def workers(patient: Patient) -> str:
    from db.reports import Reports

    reports = await Reports.open(await patient.database())
    try:
        status = await reports.status()
    finally:
        await reports.close()
    alive = [worker for worker in status.workers if worker.alive]
    lost = len(status.workers) - len(alive)
    if status.due and not alive:
        raise Unwell(f"none is alive and {plural(status.due, 'task')} due", next="pricemill worker")
    versions = ", ".join(sorted({worker.version for worker in alive}))
    return f"{len(alive)} alive" + (f", version {versions}" if versions else "") + (f", {lost} lost" if lost else "")


async def google(patient: Patient) -> str:
    folder = patient.settings.credentials_dir
    if folder is None:
        return "no credentials directory; Google Sheets are not read"
    if not folder.is_dir():
        raise Unwell(f"{folder} is no directory", next="correct PRICEMILL_CREDENTIALS_DIR")
    names = sorted(path.stem for path in folder.glob("*.json"))
    return plural(len(names), "credential") + (f": {', '.join(names)}" if names else "")


async def clock(patient: Patient) -> str:
    from db.engine import connect

    connection = await connect(await patient.database())
    try:
        theirs = await connection.fetchval("SELECT clock_timestamp()")
    finally:
        await connection.close()
    skew = (datetime.now(UTC) - theirs).total_seconds()
    if abs(skew) > LARGEST_SKEW:
        raise Unwell(f"{skew:+.1f} s off the clock of the database", next="synchronise the clock of this machine")
    return f"{abs(skew):.2f} s off the clock of the database"


async def disk(patient: Patient) -> str:
    folder = patient.settings.data_dir.expanduser()
    free = free_bytes(folder)
    if free < LEAST_FREE:
        raise Unwell(f"only {megabytes(free)} free for {folder}", next="free some space")
    return f"{free / 1e9:,.1f} GB free for {folder}"


CHECKS: dict[str, Callable[[Patient], Awaitable[str]]] = {
    "settings": settings,
    "postgresql": postgresql,
    "redis": redis,
    "workers": workers,
    "google": google,
    "clock": clock,
    "disk": disk,
}
"""In the order they are told."""
