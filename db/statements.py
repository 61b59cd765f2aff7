"""Statements on a pool: translated errors, a time limit, and repetition where nothing else is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from contracts.errors import DatabaseUnavailable
from db.errors import translated

T = TypeVar("T")

TAKE_SECONDS = 5.0
"""How long to wait for a connection of the pool, connecting included."""
AT_ONCE = ("40001", "40P01", "08003", "08006", "57P01", "57P05", "closed")
"""Deadlocks, serialisation failures, connections found broken."""


class Statements:
    """For statements that may be repeated: after one of AT_ONCE they are sent again, up to twice, on another
    connection. Everything else is raised as db.errors translates it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    def use(self) -> tuple[int, int]:
        """(connections in use, most there may be)."""
        return self._pool.get_size() - self._pool.get_idle_size(), self._pool.get_max_size()

    async def rows(self, statement: str, *arguments: Any) -> list[Any]:
        async def act(connection: asyncpg.Connection) -> list[Any]:
            return list(await connection.fetch(statement, *arguments))

        return await self.run(act)

    async def row(self, statement: str, *arguments: Any) -> Any:
        """Of a statement that always answers one."""
        return (await self.rows(statement, *arguments))[0]

    async def run(self, act: Callable[[Any], Awaitable[T]]) -> T:
        """`act` gets an asyncpg connection and may open a transaction on it."""
        for patience in (2, 1, 0):
            try:
                with translated():
                    async with self._pool.acquire(timeout=TAKE_SECONDS) as connection:
                        return await act(connection)
            except DatabaseUnavailable as error:
                state = error.context.get("sqlstate") or "closed"
                if not patience or state not in AT_ONCE or isinstance(error.__cause__, OSError):
                    raise
                if not state.startswith("40"):
                    await self._pool.expire_connections()
        raise AssertionError("unreachable")
