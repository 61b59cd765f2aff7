"""What a list is loaded into: every Loader under the same suites."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.ledgers import postgres_bench
from tests.support.lists import Desk, MemoryDesk, PostgresDesk


@pytest.fixture(params=["memory", "postgres"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    if request.param == "memory":
        yield MemoryDesk()
        return
    url = request.getfixturevalue("database_url")
    async with postgres_bench(url) as bench:
        yield PostgresDesk(url, bench)
