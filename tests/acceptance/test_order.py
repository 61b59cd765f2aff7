"""I11, I12: lists that come late, and suppliers that get in each other's way, end as in an order that makes sense."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest

from contracts.task import ParseTask
from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import MakeFleet, fleet_of
from tests.acceptance.fleet import Fleet
from tests.acceptance.lists import order, price_list
from tests.acceptance.tables import Tables, broken_invariants, logical_tables

pytestmark = pytest.mark.acceptance

CHUNK = 100
OLD_DAY = datetime(2026, 3, 1, tzinfo=UTC)
NEW_DAY = OLD_DAY + timedelta(days=30)
OLD = {f"P-{number:04d}": Decimal(number) + Decimal("1.10") for number in range(600)}
NEW = {f"P-{number:04d}": Decimal(number) + Decimal("2.20") for number in range(600) if number % 6}
"""A sixth of the old list is unknown to the newer one."""
ONLY_OLD = {sku: price for sku, price in OLD.items() if sku not in NEW}

HISTORY = """
SELECT i.supplier_sku, h.price, t.task_id FROM price_history h
  JOIN supplier_items i ON i.id = h.supplier_item_id JOIN tasks t ON t.id = h.task_key
 ORDER BY i.supplier_sku, h.as_of, h.id
"""
CURRENT = """
SELECT i.supplier_sku, i.current_price, t.task_id FROM supplier_items i JOIN tasks t ON t.id = i.task_key
 ORDER BY i.supplier_sku
"""
STATISTICS = "SELECT (result->'statistics'->$2)::text FROM tasks WHERE task_id = $1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "supplier"
    price_list(folder / "old.csv", OLD)
    price_list(folder / "new.csv", NEW)
    return folder


@pytest.fixture
def fleet(make_fleet: MakeFleet, root: Path) -> Fleet:
    return make_fleet(PRICEMILL_SOURCE_ROOTS=str(root), PRICEMILL_CHUNK_SIZE=str(CHUNK))


async def fetch(fleet: Fleet, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(fleet.database_url)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def count_of(fleet: Fleet, task_id: str, name: str) -> str:
    return str((await fetch(fleet, STATISTICS, task_id, name))[0][0])


def rows_of(task_id: str, prices: dict[str, Decimal]) -> list[tuple[Any, ...]]:
    return [(sku, price, task_id) for sku, price in prices.items()]


async def test_an_older_list_that_comes_after_a_newer_one_adds_what_is_unknown_and_changes_nothing_else(
    fleet: Fleet, root: Path
) -> None:
    await fleet.enqueue([order("newer", root / "new.csv", as_of=NEW_DAY)])
    fleet.start_worker()
    await fleet.until_ended()
    before = await logical_tables(fleet.database_url)
    fleet.stop()

    await fleet.enqueue([order("older", root / "old.csv", as_of=OLD_DAY)])
    victim = fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.committed=kill:3")
    assert await fleet.until_dead(victim) == -signal.SIGKILL
    fleet.start_worker()
    assert await fleet.until_ended() == {"newer": "completed", "older": "completed"}

    expected = sorted(rows_of("newer", NEW) + rows_of("older", ONLY_OLD))
    assert await fetch(fleet, CURRENT) == expected
    assert await fetch(fleet, HISTORY) == expected
    assert await count_of(fleet, "older", "new") == str(len(ONLY_OLD))
    assert f'"stale": {len(NEW)}' in await count_of(fleet, "older", "ignored")
    after = await logical_tables(fleet.database_url)
    assert after["suppliers"] == before["suppliers"], "the supplier is as old as its older list"
    assert set(before["supplier_items"]) <= set(after["supplier_items"])
    assert await broken_invariants(fleet.database_url) == {}


async def test_a_dead_older_task_that_is_replayed_after_a_newer_one_overwrites_nothing(
    fleet: Fleet, root: Path
) -> None:
    # Without as_of: a task is as old as its registration, however late it is replayed.
    await fleet.enqueue([order("older", root / "old.csv", max_retries=0)])
    fleet.start_worker(PRICEMILL_FAILPOINTS="chunk.committed=raise:2")
    assert await fleet.until_ended() == {"older": "dead"}
    await fleet.enqueue([order("newer", root / "new.csv")])
    assert await fleet.until_ended(count=2) == {"older": "dead", "newer": "completed"}
    before = await logical_tables(fleet.database_url)
    loaded = dict(list(OLD.items())[: 2 * CHUNK - 1])  # before it died; one row of these chunks is the header
    assert await fetch(fleet, CURRENT) == sorted(
        rows_of("newer", NEW) + rows_of("older", {sku: price for sku, price in loaded.items() if sku not in NEW})
    )

    await fleet.replay("older")
    assert await fleet.until_ended() == {"older": "completed", "newer": "completed"}

    assert await fetch(fleet, CURRENT) == sorted(rows_of("newer", NEW) + rows_of("older", ONLY_OLD))
    assert await fetch(fleet, HISTORY) == sorted(
        rows_of("newer", NEW) + rows_of("older", ONLY_OLD | loaded), key=lambda row: (row[0], row[1])
    )
    after = await logical_tables(fleet.database_url)
    assert after["suppliers"] == before["suppliers"]
    assert set(before["supplier_items"]) <= set(after["supplier_items"])
    assert await broken_invariants(fleet.database_url) == {}


SUPPLIERS = 8
SHARED = 240
CATEGORIES = 40
SAME_PRODUCT = """
SELECT gtin FROM supplier_items GROUP BY gtin
HAVING count(DISTINCT product_id) <> 1 OR count(product_id) <> count(*)
"""


def gtin(number: int) -> str:
    digits = f"{4_000_000_000_00 + number}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"


def shared_list(path: Path, *, supplier: int, version: int) -> None:
    """The same products and categories as in every other list; each second supplier has them the other way round."""
    lines = ["sku,name,price,currency,category,subcategory,gtin"]
    numbers = range(SHARED) if supplier % 2 else reversed(range(SHARED))
    for number in numbers:
        price = Decimal(number + supplier) + Decimal("0.50") + (version if number % 3 else 0)
        group = number * CATEGORIES // SHARED
        lines.append(
            f"S{supplier}-{number},Part {number},{price},EUR,Hall {group // 4},Shelf {version * (number % 2)}-{group},"
            f"{gtin(number)}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def orders(root: Path) -> Iterator[ParseTask]:
    for version in (0, 1):
        for supplier in range(SUPPLIERS):
            name = f"{supplier}-{version}"
            path = root / f"{name}.csv"
            shared_list(path, supplier=supplier, version=version)
            yield order(name, path, supplier=f"Supplier {supplier}", as_of=OLD_DAY + timedelta(days=version))


def without_codes_of_products(tables: Tables) -> Tables:
    """A draft is named after the supplier that came first, which any serial order may choose."""
    return {
        **tables,
        "products": sorted(row[1:] for row in tables["products"]),
        "supplier_items": [row[:-1] for row in tables["supplier_items"]],
    }


@pytest.fixture
def another_url(postgres: EmbeddedPostgres, template: str, database_url: str) -> Iterator[str]:
    """A second database, for the run that is compared with."""
    name = f"{database_url.rpartition('/')[2].partition('?')[0]}_calm"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url_of(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


async def up(fleet: Fleet, workers: int) -> None:
    deadline = monotonic() + 60
    while await fetch(fleet, "SELECT count(*) FROM workers") != [(workers,)]:
        assert monotonic() < deadline, fleet.logs()
        await asyncio.sleep(0.05)


async def closed(fleet: Fleet, table: str) -> asyncpg.Connection:
    """Whoever finds something missing in the table has to wait until `opened_for` before he adds it."""
    connection = await asyncpg.connect(fleet.database_url)
    await connection.execute(f"BEGIN; LOCK TABLE {table} IN SHARE MODE")
    return connection


async def opened_for(crowd: int, connection: asyncpg.Connection, table: str, fleet: Fleet) -> None:
    """Lets all in at the same moment who wait by then, at least so many."""
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted"
    deadline = monotonic() + 60
    try:
        while await connection.fetchval(waiting, table) < crowd:
            assert monotonic() < deadline, fleet.logs()
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def ended(fleet: Fleet, tasks: Sequence[ParseTask], *, workers: int, crowd: int = 0) -> Tables:
    doors = {table: await closed(fleet, table) for table in ("categories", "products") if crowd}
    for _ in range(workers):
        fleet.start_worker()
    try:
        await up(fleet, workers)
        await fleet.enqueue(tasks)
        for table, connection in doors.items():
            await opened_for(crowd, connection, table, fleet)
        states = await fleet.until_ended(count=len(tasks))
    finally:
        fleet.stop()
    assert states == {task.task_id: "completed" for task in tasks}
    assert await fetch(fleet, SAME_PRODUCT) == []
    assert await broken_invariants(fleet.database_url) == {}
    return await logical_tables(fleet.database_url)


async def test_suppliers_sharing_categories_and_products_in_opposite_orders_end_with_three_workers_as_with_one(
    database_url: str, another_url: str, redis_url: str, tmp_path: Path
) -> None:
    tasks = list(orders(tmp_path))
    settings = {
        "PRICEMILL_SOURCE_ROOTS": str(tmp_path),
        "PRICEMILL_CHUNK_SIZE": str(CHUNK),
        "PRICEMILL_CREATE_DRAFT_PRODUCTS": "true",
    }
    one = fleet_of(another_url, redis_url, tmp_path, tmp_path / "one", PRICEMILL_CONCURRENCY="1", **settings)
    three = fleet_of(
        database_url,
        redis_url,
        tmp_path,
        tmp_path / "three",
        PRICEMILL_CONCURRENCY="3",
        # With its transaction open, each lets the others come in its way.
        PRICEMILL_FAILPOINTS="chunk.before_commit=sleep:0.03",
        **settings,
    )
    alone = await ended(one, tasks, workers=1)
    together = await ended(three, tasks, workers=3, crowd=SUPPLIERS // 2)
    assert len(alone["products"]) == SHARED
    assert without_codes_of_products(together) == without_codes_of_products(alone)
    failed = await fetch(three, "SELECT outcome, error FROM task_attempts WHERE error IS NOT NULL")
    assert failed == [], "what got in another's way was not tried again inside"
    assert len(await fetch(three, "SELECT DISTINCT worker FROM task_attempts")) > 1, "only one worker did anything"
