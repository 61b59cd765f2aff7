"""I17: a herd of released tasks is let out slowly, and makes no more connections than its workers have slots for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from contracts.task import ParseTask
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import ENDED
from tests.support.invariants import broken_invariants
from tests.support.redis_server import RedisServer
from workers.delivery import SLICE
from workers.rescue import AT_ONCE

pytestmark = pytest.mark.acceptance

HERD = 2 * AT_ONCE + 20
WORKERS = 2
SLOTS = 2
POOLS = 20
"""Connections of a worker that do not go with its slots: ledger, heartbeat, reports, profiles, shapes and the like."""
OF_A_SLOT = 4
"""The ledger's, the two of the loader and one of the matcher or of what is remembered of a list."""

CONNECTED = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def herd(root: Path) -> Iterator[ParseTask]:
    path = root / "small.csv"
    path.write_text("sku,name,price,currency\nA-1,Bolt,1.25,EUR\nA-2,Nut,2.50,EUR\n")
    for number in count():
        yield ParseTask(
            task_id=f"h{number}",
            parser_type="csv",
            supplier_name=f"Supplier {number}",
            source_config={"file_path": str(path)},
        )


async def test_a_herd_that_redis_forgot_is_let_out_slowly_on_few_connections(
    make_fleet: MakeFleet, redis_server: RedisServer, tmp_path: Path
) -> None:
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(tmp_path), PRICEMILL_CONCURRENCY=str(SLOTS))
    tasks = herd(tmp_path)
    await fleet.enqueue([next(tasks) for _ in range(HERD)])
    assert HERD < SLICE
    redis_server.flush()
    for _ in range(WORKERS):
        fleet.start_worker()
    most_connected = 0
    connection = await asyncpg.connect(fleet.database_url)
    deadline = monotonic() + 180
    try:
        while await connection.fetchval("SELECT count(*) FROM tasks WHERE status::text <> ALL ($1)", list(ENDED)):
            assert monotonic() < deadline, fleet.logs()
            most_connected = max(most_connected, await connection.fetchval(CONNECTED))
            await asyncio.sleep(0.02)
    finally:
        await connection.close()
    assert set((await fleet.states()).values()) == {"completed"}
    sent = [
        event["deliveries"]
        for log in fleet.log_dir.glob("*.log")
        for event in map(json.loads, log.read_text().splitlines())
        if event["event"] == "task.rescued"
    ]
    # One sweep at a time is let through, and pauses behind each.
    assert max(sent) <= AT_ONCE
    assert sum(sent) >= HERD
    assert most_connected <= WORKERS * (POOLS + OF_A_SLOT * SLOTS)
    assert await broken_invariants(fleet.database_url, at_rest=True) == {}
