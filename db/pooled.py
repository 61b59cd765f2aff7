"""What stores have in common that open a small pool of their own: how they are opened and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

import asyncpg

from db.connection import close_pool, open_pool
from db.statements import Statements


class Pooled:
    """Base of a store; `name` is what PostgreSQL shows for its connections."""

    name: ClassVar[str]

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._statements = Statements(pool)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, size: int = 2) -> AsyncIterator[Self]:
        """At most `size` connections, made when they are needed."""
        pool = await open_pool(url, size=size, application_name=cls.name)
        try:
            yield cls(pool)
        finally:
            await close_pool(pool)
