"""Sets the clock of a test's database: what its statements call now() is moved, for every connection made after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from db.connection import connect

MOVED = """
CREATE SCHEMA clock;
CREATE TABLE clock.ahead (by interval NOT NULL);
INSERT INTO clock.ahead VALUES ('0');
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
  AS 'SELECT pg_catalog.now() + by FROM clock.ahead';
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = clock, pg_catalog, public', current_database()); END $$;
"""
BACK = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET search_path', current_database()); END $$;
DROP SCHEMA clock CASCADE;
"""


class DatabaseClock:
    def __init__(self, url: str) -> None:
        self._url = url

    async def move(self, by: timedelta) -> None:
        """Forward or backward, from where it stands."""
        await self._execute("UPDATE clock.ahead SET by = by + $1", by)

    async def _execute(self, statement: str, *arguments: timedelta) -> None:
        connection = await connect(self._url)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()


@asynccontextmanager
async def database_clock(url: str) -> AsyncIterator[DatabaseClock]:
    """While the block lasts; at its start it is five seconds past a minute."""
    clock = DatabaseClock(url)
    await clock._execute(MOVED)
    await clock._execute("UPDATE clock.ahead SET by = date_trunc('minute', now()) + interval '65 seconds' - now()")
    try:
        yield clock
    finally:
        await clock._execute(BACK)
