"""A worker that has no memory left gives its task back behind a chunk, and its successor goes on there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

import asyncpg
import orjson
import pytest

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.tables import broken_invariants
from workers.stopping import EXIT_RECYCLED

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

LISTS = ("a", "b", "c", "d")
ROWS = 15_000
FULL = {
    "PRICEMILL_MEMORY_LIMIT_BYTES": "1000000",
    "PRICEMILL_RECYCLE_AFTER_SECONDS": "0",
    "PRICEMILL_RESOURCE_SECONDS": "1",
    "PRICEMILL_CHUNK_SIZE": "100",
    "PRICEMILL_CONCURRENCY": "1",
}
"""A limit that any process is above, so that whatever it gains is too much."""


async def test_a_full_worker_leaves_behind_a_chunk_without_using_up_an_attempt(
    make_fleet: MakeFleet, lists: Path
) -> None:
    rows = [f"C{number},Item {number},{number % 900 + 1}.25,EUR" for number in range(ROWS)]
    source = lists / "full.csv"
    source.write_text("\n".join(["SKU,Name,Price,Currency", *rows, ""]), encoding="utf-8")
    fleet = make_fleet()
    await fleet.enqueue(
        ParseTask(task_id=name, parser_type="csv", supplier_name=name, source_config={"file_path": str(source)})
        for name in LISTS
    )
    assert await fleet.until_dead(fleet.start_worker(**FULL)) == EXIT_RECYCLED, fleet.logs()
    connection = await asyncpg.connect(fleet.database_url)
    try:
        left = await connection.fetch("SELECT status::text, attempt FROM tasks WHERE status <> 'completed'")
        assert {tuple(row) for row in left} == {("queued", 0)}
        assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 0
        fleet.start_worker()
        assert await fleet.until_ended() == dict.fromkeys(LISTS, "completed")
        for table in ("supplier_items", "price_history"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == ROWS * len(LISTS)
    finally:
        await connection.close()
    assert await broken_invariants(fleet.database_url) == {}


async def test_what_a_worker_has_left_stands_in_the_registry(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    fleet.start_worker(PRICEMILL_RESOURCE_SECONDS="1")
    connection = await asyncpg.connect(fleet.database_url)
    try:
        deadline = monotonic() + 60
        while not (found := await connection.fetchval("SELECT snapshot::text FROM workers WHERE snapshot ? 'own_mb'")):
            assert monotonic() < deadline, fleet.logs()
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    snapshot = orjson.loads(found)
    assert 0 < snapshot["own_mb"] < snapshot["memory_limit_mb"]
    assert snapshot["pool_size"] > 0
    assert len(found) < 1_000
