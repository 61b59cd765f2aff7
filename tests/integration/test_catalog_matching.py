"""Items and products: what is joined, what is made, what is never touched."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from contracts.errors import LeaseLost
from contracts.outcome import Discard
from contracts.store import Claim
from db.catalog import PostgresMatcher, create_product, set_product_status, supplier_id
from db.connection import connect
from tests.support.ledgers import PostgresBench, claimed, postgres_bench, task

GTIN = "4006381333931"
OTHER_GTIN = "9780201379624"


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[PostgresBench]:
    async with postgres_bench(database_url) as bench:
        yield bench


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database_url)
    yield connection
    await connection.close()


async def put(
    db: asyncpg.Connection, claim: Claim, sku: str, gtin: str | None = None, *, key: int | None = None
) -> int:
    """An item as the loader would write it for this claim (or another task's key)."""
    supplier = await supplier_id(db, claim.task.supplier_name)
    return int(
        await db.fetchval(
            "INSERT INTO supplier_items (supplier_id, key_hash, supplier_sku, name, current_price, currency, gtin,"
            " as_of, task_key, source_row)"
            " VALUES ($1::uuid, 1, $2::text, 'name of ' || $2::text, 1, 'EUR', $3, now(), $4, 2)"
            " RETURNING id",
            supplier,
            sku,
            gtin,
            claim.task_key if key is None else key,
        )
    )


async def skus(db: asyncpg.Connection) -> dict[str, str | None]:
    """supplier_sku → internal_sku of the product it is joined with."""
    return dict(
        await db.fetch(
            "SELECT supplier_sku, internal_sku FROM supplier_items i LEFT JOIN products p ON p.id = i.product_id"
        )
    )


async def match(url: str, claim: Claim, **choices: bool) -> int:
    async with PostgresMatcher.open(url, **choices) as matcher:
        return await matcher.match(claim)


async def test_items_are_joined_by_gtin(bench: PostgresBench, db: asyncpg.Connection, database_url: str) -> None:
    claim = await claimed(bench, task())
    await create_product(db, internal_sku="P1", name="Drill", gtin=GTIN)
    for sku, gtin in {"a": GTIN, "b": OTHER_GTIN, "c": None}.items():
        await put(db, claim, sku, gtin)
    assert await match(database_url, claim) == 1
    assert await skus(db) == {"a": "P1", "b": None, "c": None}
    assert await match(database_url, claim) == 0


async def test_codes_count_only_where_that_is_configured(
    bench: PostgresBench, db: asyncpg.Connection, database_url: str
) -> None:
    claim = await claimed(bench, task())
    await create_product(db, internal_sku="a", name="Drill")
    await put(db, claim, "a")
    assert await match(database_url, claim) == 0
    assert await match(database_url, claim, by_code=True) == 1
    assert await skus(db) == {"a": "a"}


async def test_an_item_that_has_a_product_keeps_it(
    bench: PostgresBench, db: asyncpg.Connection, database_url: str
) -> None:
    claim = await claimed(bench, task())
    chosen = await create_product(db, internal_sku="chosen", name="Drill")
    await create_product(db, internal_sku="P1", name="Drill", gtin=GTIN)
    await db.execute(
        "UPDATE supplier_items SET product_id = $1::uuid WHERE id = $2", chosen, await put(db, claim, "a", GTIN)
    )
    assert await match(database_url, claim, by_code=True, create_drafts=True) == 0
    assert await skus(db) == {"a": "chosen"}


async def test_items_of_other_tasks_and_suppliers_are_left_alone(
    bench: PostgresBench, db: asyncpg.Connection, database_url: str
) -> None:
    claim, other = await claimed(bench, task()), await claimed(bench, task("other"))
    await create_product(db, internal_sku="P1", name="Drill", gtin=GTIN)
    await put(db, claim, "of an older task", GTIN, key=claim.task_key + 100)
    await put(db, other, "of another supplier", GTIN)
    assert await match(database_url, claim) == 0


async def test_an_archived_product_is_not_joined(
    bench: PostgresBench, db: asyncpg.Connection, database_url: str
) -> None:
    claim = await claimed(bench, task())
    product = await create_product(db, internal_sku="P1", name="Drill", gtin=GTIN, status="active")
    await set_product_status(db, product, "archived")
    await put(db, claim, "a", GTIN)
    assert await match(database_url, claim, create_drafts=True) == 0
    assert await skus(db) == {"a": None}


async def test_drafts_are_made_once_for_what_matches_nothing(
    bench: PostgresBench, db: asyncpg.Connection, database_url: str
) -> None:
    claim = await claimed(bench, task())
    await create_product(db, internal_sku="P1", name="Drill", gtin=GTIN)
    long = "x" * 250
    for sku, gtin in {"a": GTIN, "b": OTHER_GTIN, "c": OTHER_GTIN, "d": None, long: None, long + "y": None}.items():
        await put(db, claim, sku, gtin)
    assert await match(database_url, claim, create_drafts=True) == 6
    joined = await skus(db)
    assert joined["a"] == "P1"
    assert joined["b"] == joined["c"] == "ACME/b"
    assert joined["d"] == "ACME/d"
    assert joined[long] != joined[long + "y"]
    assert await match(database_url, claim, create_drafts=True) == 0
    drafts = await db.fetch("SELECT name, gtin, status::text FROM products WHERE internal_sku = 'ACME/b'")
    assert [tuple(row) for row in drafts] == [("name of b", OTHER_GTIN, "draft")]
    assert await db.fetchval("SELECT count(*) FROM products") == 1 + 4


async def test_a_zombie_joins_nothing(bench: PostgresBench, db: asyncpg.Connection, database_url: str) -> None:
    claim = await claimed(bench, task())
    await create_product(db, internal_sku="P1", name="Drill", gtin=GTIN)
    await put(db, claim, "a", GTIN)
    await bench.ledger.settle(claim, Discard("stopped"))
    with pytest.raises(LeaseLost):
        await match(database_url, claim)
    assert await skus(db) == {"a": None}
