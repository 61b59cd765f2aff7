"""The faults: each does its damage to a site, undoes it where time does not, and says what it did."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

import asyncpg

from tests.chaos.recovery import AWAY
from tests.chaos.site import Place, Site

FROZEN_SECONDS = 7.0
"""Longer than a worker waits for an answer of Redis."""
READ_ONLY_SECONDS = 4.0
EXHAUSTED_SECONDS = 4.0
LOCKED_SECONDS = 4.0
CUTTING_SECONDS = 3.0
CUT_SHARES = (0.02, 0.08, 0.25)
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

Fault = Callable[[Site], Awaitable[str]]


def _well(site: Site) -> Place:
    place = site.chosen()
    if place is None:
        raise Nobody
    return place


class Nobody(Exception):
    """No worker is there that the fault could meet."""


async def _ask(url: str, statement: str) -> None:
    """As long as the server is there at all."""
    connection = await asyncpg.connect(url, timeout=10.0)
    try:
        await connection.execute(statement)
    finally:
        connection.terminate()


async def kill(site: Site) -> str:
    place = _well(site)
    site.recovery.strike("kill -9", pid=place.process.pid)
    place.process.kill()
    return f"kill -9 {place.process.pid}"


async def terminate(site: Site) -> str:
    place = _well(site)
    site.recovery.strike("SIGTERM", pid=place.process.pid)
    place.leaving = True
    place.process.terminate()
    return f"SIGTERM {place.process.pid}"


async def zombie(site: Site) -> str:
    """Stopped for longer than its lease, then woken."""
    place = _well(site)
    pid = place.process.pid
    site.recovery.strike("SIGSTOP past the lease", pid=pid)
    place.stopped = True
    place.process.send_signal(signal.SIGSTOP)
    seconds = float(site.fleet.environment.get("PRICEMILL_LEASE_SECONDS", "10")) + site.dice.uniform(1, 4)
    try:
        await asyncio.sleep(seconds)
    finally:
        with suppress(ProcessLookupError):
            place.process.send_signal(signal.SIGCONT)
        place.stopped = False
    return f"SIGSTOP {pid} for {seconds:.1f} s"


async def flush(site: Site) -> str:
    async with site.on_redis:
        site.recovery.strike("Redis FLUSHALL")
        await asyncio.to_thread(site.servers.redis.flush)
    return "FLUSHALL"


async def restart_empty(site: Site) -> str:
    async with site.on_redis:
        strike = site.recovery.strike("Redis restarted empty")
        await asyncio.to_thread(site.servers.redis.kill)
        seconds = site.dice.uniform(0.1, 2.0)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(site.servers.redis.start)
        strike.healed()
    return f"Redis killed, empty after {seconds:.1f} s"


async def freeze_redis(site: Site) -> str:
    async with site.on_redis:
        strike = site.recovery.strike("Redis frozen")
        site.servers.redis.freeze()
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            site.servers.redis.thaw()
        strike.healed()
    return f"Redis frozen for {FROZEN_SECONDS:g} s"


async def terminate_backends(site: Site) -> str:
    async with site.on_postgres:
        site.recovery.strike("back-ends terminated")
        await _ask(site.fleet.database_url, TERMINATE)
    return "all back-ends terminated"


async def cut_connections(site: Site) -> str:
    share = site.dice.choice(CUT_SHARES)
    before = site.cuts
    strike = site.recovery.strike("connections cut")
    site.cutting = share
    try:
        await asyncio.sleep(CUTTING_SECONDS)
    finally:
        site.cutting = 0.0
    strike.healed()
    return f"{site.cuts - before} connections cut, at {share:.0%} of the requests"


async def crash_postgres(site: Site) -> str:
    async with site.on_postgres:
        strike = site.recovery.strike("PostgreSQL crashed")
        await asyncio.to_thread(site.servers.postgres.crash)
        seconds = site.dice.uniform(0.0, 2.0)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(site.servers.postgres.start)
        strike.healed()
    return f"PostgreSQL crashed, back after {seconds:.1f} s"


async def read_only(site: Site) -> str:
    """As behind a failover to a standby."""
    async with site.on_postgres:
        strike = site.recovery.strike("PostgreSQL read-only")
        await _settings(site, "ALTER SYSTEM SET default_transaction_read_only = on")
        try:
            await asyncio.sleep(READ_ONLY_SECONDS)
        finally:
            await _settings(site, "ALTER SYSTEM RESET default_transaction_read_only")
        strike.healed()
    return f"PostgreSQL read-only for {READ_ONLY_SECONDS:g} s"


async def _settings(site: Site, statement: str) -> None:
    for one in (statement, "SELECT pg_reload_conf()"):
        await _ask(site.fleet.database_url, one)


async def exhaust_connections(site: Site) -> str:
    """Every connection that the server has is taken, those of the workers too."""
    async with site.on_postgres:
        strike = site.recovery.strike("connections exhausted")
        taken: list[asyncpg.Connection] = []
        deadline = asyncio.get_running_loop().time() + EXHAUSTED_SECONDS
        try:
            taken.append(await asyncpg.connect(site.fleet.database_url, timeout=10.0))
            await taken[0].execute(TERMINATE)
            while asyncio.get_running_loop().time() < deadline:
                try:
                    taken.append(await asyncpg.connect(site.fleet.database_url, timeout=2.0))
                except AWAY:
                    await asyncio.sleep(0.05)
        finally:
            for connection in taken:
                connection.terminate()
        strike.healed()
    return f"{len(taken)} connections taken for {EXHAUSTED_SECONDS:g} s"


async def lock_tables(site: Site) -> str:
    async with site.on_postgres:
        strike = site.recovery.strike("tables locked")
        table = site.dice.choice(["supplier_items", "price_history", "parsing_logs", "checkpoints", "tasks"])
        connection = await asyncpg.connect(site.fleet.database_url, timeout=10.0)
        try:
            await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(LOCKED_SECONDS)
        finally:
            connection.terminate()
        strike.healed()
    return f"table {table} locked for {LOCKED_SECONDS:g} s"


FAULTS: Mapping[Fault, int] = MappingProxyType(
    {
        kill: 6,
        terminate: 2,
        zombie: 3,
        flush: 1,
        restart_empty: 1,
        freeze_redis: 1,
        terminate_backends: 2,
        cut_connections: 2,
        crash_postgres: 1,
        read_only: 1,
        exhaust_connections: 1,
        lock_tables: 1,
    }
)
"""With how often each is chosen."""
