"""Opens the two servers of an installation: the ledger's PostgreSQL and the queue's Redis, embedded unless named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from arq.connections import ArqRedis

from config.settings import Settings
from db import embedded as embedded_postgres
from db.engine import upgrade
from db.ledger import PostgresLedger
from observability.redaction import protect
from workers import embedded as embedded_redis
from workers.delivery import ArqQueue
from workers.redis_pool import open_redis


@dataclass(frozen=True, slots=True)
class Ports:
    """What a producer needs, and the first thing every other part is built on."""

    database_url: str
    redis_url: str
    ledger: PostgresLedger
    redis: ArqRedis
    queue: ArqQueue


@asynccontextmanager
async def open_ports(settings: Settings, *, connections: int = 10) -> AsyncIterator[Ports]:
    """Servers that are not named in the settings are started or joined in data_dir and left on leaving; an embedded
    database is brought up to the newest revision. Redis may be away, PostgreSQL not: DatabaseUnavailable."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            database_url = settings.database_url.get_secret_value()
        else:
            postgres = await asyncio.to_thread(embedded_postgres.start, settings.data_dir)
            stack.push_async_callback(asyncio.to_thread, postgres.close)
            database_url = postgres.url
            await upgrade(database_url)
        if settings.redis_url is not None:
            redis_url = settings.redis_url.get_secret_value()
        else:
            server = await asyncio.to_thread(embedded_redis.start, settings.data_dir)
            stack.push_async_callback(asyncio.to_thread, server.close)
            redis_url = server.url
        protect(*filter(None, (urlsplit(url).password for url in (database_url, redis_url))))
        supersede = settings.supersede == "on"
        ledger = await stack.enter_async_context(
            PostgresLedger.open(database_url, size=connections, supersede=supersede)
        )
        redis = open_redis(redis_url, queue_name=settings.queue_name)
        queue = ArqQueue(redis, queue_name=settings.queue_name)
        stack.push_async_callback(queue.close)
        yield Ports(database_url=database_url, redis_url=redis_url, ledger=ledger, redis=redis, queue=queue)
