"""A connection that nobody came to hold is closed."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from db import connection as connections
from db.connection import connect

NAME = "left behind"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"


async def test_who_is_cancelled_while_a_connection_is_set_up_leaves_none_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = asyncio.Event()

    async def set_up(_: asyncpg.Connection) -> None:
        opened.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(30):
        watcher = await connect(database_url)
        try:
            monkeypatch.setattr(connections, "_prepare", set_up)
            opening = asyncio.create_task(connect(database_url, application_name=NAME))
            await opened.wait()
            assert await watcher.fetchval(OPEN, NAME) == 1
            opening.cancel()
            await asyncio.wait([opening])
            while await watcher.fetchval(OPEN, NAME):  # noqa: ASYNC110  # the server tells nobody
                await asyncio.sleep(0.01)
        finally:
            await watcher.close()
