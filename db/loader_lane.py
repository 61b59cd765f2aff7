"""One of the loader's connections, with the temporary table in which a chunk waits to be merged."""

from __future__ import annotations

import io

import asyncpg

from db import loader_sql as sql
from db.connection import connect
from db.errors import translated


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
            with translated():
                await self._connection.execute(sql.STAGE)
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
