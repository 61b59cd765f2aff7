"""I13: the rows of a task come from exactly one version of its source, whatever happens to the file meanwhile."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.conftest import MakeFleet
from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import order, price_list
from tests.acceptance.tables import broken_invariants

pytestmark = pytest.mark.acceptance

CHUNK = 100
TASK = "parts"
FIRST = {f"P-{number:04d}": Decimal(number) + Decimal("1.10") for number in range(750)}
SECOND = {f"P-{number:04d}": Decimal(number) + Decimal("2.20") for number in reversed(range(700, 1900, 2))}
"""Other codes, another order, other prices: no row of it could pass for one of the first."""

Prices = dict[str, Decimal]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "supplier" / "parts.csv"
    price_list(path, FIRST)
    return path


@pytest.fixture
def fleet(make_fleet: MakeFleet, source: Path) -> Fleet:
    return make_fleet(PRICEMILL_SOURCE_ROOTS=str(source.parent), PRICEMILL_CHUNK_SIZE=str(CHUNK))


async def die(fleet: Fleet, failpoint: str) -> None:
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS=failpoint)
    assert await fleet.until_dead(victim) == -signal.SIGKILL


def remove(source: Path) -> None:
    source.unlink()


def lose_snapshot(fleet: Fleet) -> None:
    spool = fleet.log_dir / "data" / "spool"
    assert [*spool.rglob("source")], "there is no snapshot to lose"
    shutil.rmtree(spool)


async def stored(fleet: Fleet) -> tuple[Prices, list[Decimal]]:
    """The current prices, and every price of the history."""
    connection = await asyncpg.connect(fleet.database_url)
    try:
        items = await connection.fetch("SELECT supplier_sku, current_price FROM supplier_items")
        history = await connection.fetch("SELECT price FROM price_history ORDER BY price")
    finally:
        await connection.close()
    return dict(map(tuple, items)), [row["price"] for row in history]


async def assert_stored(fleet: Fleet, prices: Prices) -> None:
    assert await stored(fleet) == (prices, sorted(prices.values()))
    assert await broken_invariants(fleet.database_url) == {}


async def assert_completed_of(fleet: Fleet, prices: Prices) -> None:
    assert await fleet.until_ended() == {TASK: "completed"}
    await assert_stored(fleet, prices)
    connection = await asyncpg.connect(fleet.database_url)
    try:
        result = json.loads(await connection.fetchval("SELECT result FROM tasks"))
    finally:
        await connection.close()
    data = price_list(fleet.log_dir / "same.csv", prices)
    assert result["source_sha256"] == hashlib.sha256(data).hexdigest()
    assert result["statistics"]["total_rows"] == data.count(b"\n")
    assert result["statistics"]["new"] == len(prices)


async def test_a_source_that_is_rewritten_and_removed_while_it_is_loaded_is_loaded_as_it_was(
    fleet: Fleet, source: Path
) -> None:
    await fleet.enqueue([order(TASK, source)])
    await die(fleet, "chunk.committed=kill:2")
    price_list(source, SECOND)
    await die(fleet, "chunk.committed=kill:2")
    remove(source)
    fleet.start_worker()
    await assert_completed_of(fleet, FIRST)


async def test_a_changed_source_is_never_mixed_with_rows_loaded_before_its_snapshot_was_lost(
    fleet: Fleet, source: Path
) -> None:
    await fleet.enqueue([order(TASK, source)])
    await die(fleet, "chunk.committed=kill:3")
    price_list(source, SECOND)
    lose_snapshot(fleet)
    fleet.start_worker()
    assert await fleet.until_ended() == {TASK: "dead"}
    await assert_stored(fleet, dict(list(FIRST.items())[: 3 * CHUNK - 1]))  # one row of these chunks is the header
    connection = await asyncpg.connect(fleet.database_url)
    try:
        (letter,) = await connection.fetch("SELECT code, status::text, message FROM dead_letters")
    finally:
        await connection.close()
    assert (letter["code"], letter["status"]) == ("source_changed", "open")
    assert json.loads(letter["message"])["task_id"] == TASK

    # The file as it was lets a replay go on where the task had stopped.
    price_list(source, FIRST)
    lose_snapshot(fleet)
    await fleet.replay(TASK)
    await assert_completed_of(fleet, FIRST)


async def test_a_source_that_changed_before_any_row_was_loaded_is_loaded_as_it_is_now(
    fleet: Fleet, source: Path
) -> None:
    await fleet.enqueue([order(TASK, source)])
    await die(fleet, "chunk.staged=kill")
    price_list(source, SECOND)
    lose_snapshot(fleet)
    fleet.start_worker()
    await assert_completed_of(fleet, SECOND)
