"""`python -m workers.health`: exit code 0 only if Redis answers a ping and PostgreSQL a query."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from config.settings import Settings
from contracts.errors import PricemillError
from db.connection import connect
from observability.logging import configure, get_logger
from workers.delivery import translated
from workers.ports import open_ports
from workers.redis_pool import open_redis

log = get_logger(__name__)

LIMIT_SECONDS = 5.0
"""For each of the two."""


async def ping_redis(url: str) -> None:
    """Raises QueueUnavailable."""
    redis = open_redis(url, queue_name="")
    try:
        with translated():
            async with asyncio.timeout(LIMIT_SECONDS):
                await redis.ping()
    finally:
        await redis.aclose(close_connection_pool=True)


async def ping_postgresql(url: str) -> None:
    """Raises DatabaseUnavailable or TimeoutError."""
    async with asyncio.timeout(LIMIT_SECONDS):
        connection = await connect(url, application_name="pricemill-health")
        try:
            await connection.fetchval("SELECT 1")
        finally:
            await connection.close()


async def survey(settings: Settings) -> dict[str, str | None]:
    """By server: None if it is well, else why it is not. Servers that no URL names are embedded and started first."""
    if settings.database_url is not None and settings.redis_url is not None:
        return await _ask(settings.redis_url.get_secret_value(), settings.database_url.get_secret_value())
    async with open_ports(settings, connections=1) as ports:
        return await _ask(ports.redis_url, ports.database_url)


async def _ask(redis_url: str, database_url: str) -> dict[str, str | None]:
    answers = await asyncio.gather(_why(ping_redis, redis_url), _why(ping_postgresql, database_url))
    return dict(zip(("redis", "postgresql"), answers, strict=True))


async def _why(ping: Callable[[str], Awaitable[None]], url: str) -> str | None:
    try:
        await ping(url)
    except (PricemillError, OSError, TimeoutError) as error:
        return str(error) or f"no answer within {LIMIT_SECONDS:g} s"
    return None


def main() -> int:
    configure(level="INFO")
    try:
        found = asyncio.run(survey(Settings()))
    except PricemillError as error:
        found = {"servers": str(error)}
    for name, problem in found.items():
        if problem is not None:
            log.error("health.unwell", server=name, error=problem)
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
