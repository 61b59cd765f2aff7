"""SQLAlchemy's engine on our connections, and the door to everything that opens a database."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.connection import COMMAND_SECONDS, connect, open_pool, plain_url
from db.migration import Revision, check, downgrade, upgrade

__all__ = ["Revision", "check", "connect", "downgrade", "make_engine", "open_pool", "plain_url", "upgrade"]

POOL_SIZE = 20
POOL_OVERFLOW = 10
POOL_RECYCLE = 3600


def make_engine(url: str, *, command_timeout: float | None = COMMAND_SECONDS, **settings: Any) -> AsyncEngine:
    """SQLAlchemy's engine on the same connections; opens none by itself. Dispose of it in its own event loop."""
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connect, url, command_timeout=command_timeout, **settings),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_recycle=POOL_RECYCLE,
        pool_pre_ping=True,
        pool_timeout=10.0,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
