"""I18: every error has exactly one record, where it belongs, though workers die and PostgreSQL is away meanwhile."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import Fleet
from tests.support.invariants import broken_invariants
from tests.support.postgres_proxy import Cut, Request, postgres_proxy
from tests.support.redis_server import RedisServer
from workers.delivery import inbox_key

pytestmark = pytest.mark.acceptance

ROWS = 900
BAD = [number for number in range(ROWS) if number % 45 == 7]
RECORDS = """
SELECT t.task_id, a.outcome, a.error->>'code' AS code FROM task_attempts a JOIN tasks t ON t.id = a.task_key
"""
AWAY = 6
"""So often the outcome cannot be recorded."""


def write_lists(root: Path) -> None:
    lines = ["sku,name,price,currency"]
    lines += [f"P-{n},Part {n},{'n/a' if n in BAD else f'{n + 1}.25'},EUR" for n in range(ROWS)]
    (root / "good.csv").write_text("\n".join(lines) + "\n")
    (root / "none.xlsx").write_bytes(b"PK\x03\x04 cut off")


def task(name: str, root: Path, file: str, parser: str = "csv") -> ParseTask:
    return ParseTask(
        task_id=name,
        parser_type=parser,
        supplier_name=f"Supplier of {name}",
        source_config={"file_path": str(root / file)},
    )


async def rows(fleet: Fleet, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(fleet.database_url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_every_error_of_rows_attempts_tasks_and_messages_is_recorded_once(
    make_fleet: MakeFleet, redis_server: RedisServer, tmp_path: Path
) -> None:
    write_lists(tmp_path)
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(tmp_path), PRICEMILL_CHUNK_SIZE="100", PRICEMILL_CONCURRENCY="1")
    with redis_server.client as client:  # one message that is none, twice, and one that is a job of nobody
        client.rpush(inbox_key(fleet.environment["PRICEMILL_QUEUE_NAME"]), b"no JSON", b"no JSON", b'{"version": 99}')
    await fleet.enqueue([task("rows", tmp_path, "good.csv")])
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.before_commit=kill:4")
    assert await fleet.until_dead(victim) == -signal.SIGKILL
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.committed=raise:2")
    await fleet.enqueue([task("none", tmp_path, "none.xlsx", "excel"), task("gone", tmp_path, "gone.csv")])
    left = AWAY

    def away(request: Request) -> Cut | None:
        """PostgreSQL hears of no death at first."""
        nonlocal left
        if not left or "finished_at" not in request.text or not request.before:
            return None
        left -= 1
        return Cut.BEFORE if left % 2 else Cut.AFTER

    await fleet.until_ended(count=1)
    async with postgres_proxy(fleet.database_url, away) as (postgres, _):
        await asyncio.to_thread(fleet.stop)
        fleet.start_worker(DATABASE_URL=postgres)
        states = await fleet.until_ended(count=3)
        await asyncio.to_thread(fleet.stop)
    assert states == {"rows": "completed", "none": "dead", "gone": "dead"}
    logged = await rows(fleet, "SELECT task_id, row_number FROM parsing_logs ORDER BY row_number")
    assert logged == [("rows", number + 2) for number in BAD]
    attempts = Counter((name, outcome) for name, outcome, _ in await rows(fleet, RECORDS) if outcome != "completed")
    assert attempts[("rows", "lost")] == 1
    assert attempts[("rows", "retry")] == 1
    assert attempts[("none", "dead")] == attempts[("gone", "dead")] == 1
    letters = Counter(name for (name,) in await rows(fleet, "SELECT task_id FROM dead_letters WHERE status = 'open'"))
    assert letters == {"none": 1, "gone": 1, None: 2}, "one for each message that is none, however often it came"
    assert await broken_invariants(fleet.database_url, at_rest=True) == {}
