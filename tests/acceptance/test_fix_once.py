"""Rejected rows that are taken up again while workers are killed: loaded once, and no other row with them."""

from __future__ import annotations

import signal
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from contracts.task import ParseTask, TaskOptions
from db.profiles import PostgresProfiles
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.tables import broken_invariants

pytestmark = pytest.mark.acceptance

ROWS = 1_200
BROKEN = [number for number in range(ROWS) if number % 50 == 7]


def write_list(path: Path) -> None:
    lines = ["sku;name;price"]
    for number in range(ROWS):
        whole = number % 90 + 10
        lines.append(f"X{number:04d};Part {number};{whole}{',5O' if number in BROKEN else ',50'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("failpoint", ["plan.made", "chunk.staged", "chunk.committed", "task.before_settle"])
async def test_rows_taken_up_again_survive_killed_workers(
    make_fleet: MakeFleet, tmp_path: Path, failpoint: str
) -> None:
    path = tmp_path / "list.csv"
    write_list(path)
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(tmp_path), PRICEMILL_CHUNK_SIZE="200")
    source = {"file_path": str(path)}
    await fleet.enqueue([ParseTask(task_id="first", parser_type="csv", supplier_name="S", source_config=source)])
    worker = fleet.start_worker()
    await fleet.until_ended()
    worker.send_signal(signal.SIGTERM)
    await fleet.until_dead(worker)
    connection = await asyncpg.connect(fleet.database_url)
    try:
        as_of = await connection.fetchval("SELECT as_of FROM tasks WHERE task_id = 'first'")
        others = "SELECT * FROM supplier_items WHERE source_row <> ALL ($1::int[]) ORDER BY id"
        rows = [number + 2 for number in BROKEN]
        before = await connection.fetch(others, rows)
        assert len(before) == ROWS - len(BROKEN)
        async with PostgresProfiles.open(fleet.database_url) as profiles:
            newest = await profiles.newest("S")
            assert newest is not None
            document = newest.document | {"rules": {"letters_as_digits": True}}
            await profiles.add("S", document, created_by="test")
        again = ParseTask(
            task_id="again", parser_type="csv", supplier_name="S", source_config=source, as_of=as_of,
            options=TaskOptions(replay_of="first", replay_codes=["price_not_a_number"]),
        )  # fmt: skip
        await fleet.enqueue([again])
        for passage in (1, 1):
            victim = fleet.start_worker(PRICEMILL_FAILPOINTS=f"{failpoint}=kill:{passage}")
            assert await fleet.until_dead(victim) == -signal.SIGKILL
        fleet.start_worker()
        states = await fleet.until_ended(count=2)
        assert states == {"first": "completed", "again": "completed"}
        assert await broken_invariants(fleet.database_url) == {}
        assert await connection.fetch(others, rows) == before
        mended = await connection.fetch(
            "SELECT supplier_sku, current_price, source_row FROM supplier_items WHERE source_row = ANY ($1::int[])",
            rows,
        )
        assert {row[0]: (row[1], row[2]) for row in mended} == {
            f"X{number:04d}": (Decimal(number % 90 + 10) + Decimal("0.5"), number + 2) for number in BROKEN
        }
        history = await connection.fetchval("SELECT count(*) FROM price_history")
        assert history == ROWS
        logged = await connection.fetch("SELECT task_id, taken_up_by FROM parsing_logs")
        assert {tuple(row) for row in logged} == {("first", "again")}
        assert len(logged) == len(BROKEN)
    finally:
        await connection.close()
