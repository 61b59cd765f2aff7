"""Opens arq's Redis client on a connection pool of our own: every call has a time limit, every value is JSON."""

from __future__ import annotations

from typing import Any

import orjson
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool

from contracts.errors import ConfigError

SOCKET_SECONDS = 5.0
"""Longest wait for one answer; longer than any BLPOP of ours. arq's own pool waits for ever on a half-open link."""
CONNECT_SECONDS = 2.0
KEPT_MS = 7 * 86_400_000
"""How long a payload outlives a worker that took it and died; what waits has no time limit."""


def to_json(value: Any) -> bytes:
    """arq's job_serializer; an exception, which arq would keep as the result of a job, becomes its text."""
    return orjson.dumps(value, default=str)


def open_redis(url: str, *, queue_name: str) -> ArqRedis:
    """A client for redis://, rediss:// or unix://; connects on first use, so it can be had while Redis is away.
    The caller closes it with `aclose(close_connection_pool=True)`. Raises ConfigError for any other URL."""
    limits: dict[str, Any] = {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        "health_check_interval": 10,
    }
    if not url.startswith("unix:"):
        limits["socket_keepalive"] = True
    try:
        pool = ConnectionPool.from_url(url, **limits)
    except ValueError as error:
        # The message of redis names the scheme only; the URL may hold a password and is never repeated.
        raise ConfigError(f"REDIS_URL cannot be used: {error}") from None
    return ArqRedis(
        pool,
        job_serializer=to_json,
        job_deserializer=orjson.loads,
        default_queue_name=queue_name,
        expires_extra_ms=KEPT_MS,
    )


async def call(redis: ArqRedis, *command: str | bytes | int) -> Any:
    """One command as it is written in Redis' manual (the typed methods of redis-py disagree with their awaiting)."""
    return await redis.execute_command(*command)  # type: ignore[no-untyped-call]
