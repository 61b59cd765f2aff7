"""One of the loader's connections, with the temporary table in which a chunk waits to be merged."""

from __future__ import annotations

import io

import asyncpg

from db import loader_sql as sql
from db.connection import connect, limit_transactions
from db.errors import translated

CHUNK_SECONDS = 20.0
"""Longest transaction of a chunk."""


class Lane:
    """One connection with its staging table."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self.holds: object | None = None
        """Whose rows lie in the staging table; None: unknown ones or none."""
        self._clean = False

    async def connection(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self.holds = None
            self._connection = await connect(self._url, **sql.SESSION)
            await limit_transactions(self._connection, CHUNK_SECONDS)
            with translated():
                await self._connection.execute(sql.STAGE)
                # Ahead of any transaction: a worker that is stopped between the two round trips of a first execution
                # would keep its locks until it is woken (see limit_transactions).
                for text in sql.OF_A_CHUNK:
                    await self._connection._get_statement(text, None)  # noqa: SLF001  # prepare() fills no cache
            self._clean = True
        return self._connection

    async def send(self, staged: object, data: bytes) -> None:
        """Replaces what is staged. Raises DataRefused if the server cannot read a value."""
        connection = await self.connection()
        self.holds = None
        with translated():
            if not self._clean:
                await connection.execute("TRUNCATE loader_stage")
            self._clean = False
            if data:
                await connection.copy_to_table("loader_stage", source=io.BytesIO(data), format="text")
        self.holds = staged

    def emptied(self) -> None:
        """The staging table was emptied by the transaction that has just been committed."""
        self.holds = None
        self._clean = True

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            try:
                await self._connection.close(timeout=2.0)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._connection.terminate()
