"""What the database itself refuses, whoever writes: constraints, life cycles, cascades."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.connection import connect

CHECK, UNIQUE, FOREIGN, NOT_NULL = "23514", "23505", "23503", "23502"

SUPPLIER = "INSERT INTO suppliers (name, source_type) VALUES ('ACME', 'csv') RETURNING id"
ITEM = """
INSERT INTO supplier_items (supplier_id, key_hash, supplier_sku, name, current_price, currency, as_of, task_key,
                            source_row, category_id, product_id)
VALUES ($1, 1, $2, 'Drill', 1, 'EUR', now(), 1, 2, $3, $4) RETURNING id
"""
HISTORY = """
INSERT INTO price_history (supplier_item_id, task_key, source_row, price, currency, as_of)
VALUES ($1, $2, 2, 1, 'EUR', now())
"""
TASK = """
INSERT INTO tasks (task_id, parser_type, supplier_name, message, as_of) VALUES ($1, 'csv', $2, '{}', now()) RETURNING id
"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database_url)
    yield connection
    await connection.close()


async def refusal(db: asyncpg.Connection, sql: str, *arguments: object) -> str:
    """SQLSTATE with which a statement is refused."""
    with pytest.raises(asyncpg.PostgresError) as caught:
        await db.execute(sql, *arguments)
    return str(caught.value.sqlstate)


async def item(db: asyncpg.Connection, supplier: object, sku: str, category: object = None) -> int:
    return int(await db.fetchval(ITEM, supplier, sku, category, None))


@pytest.mark.parametrize(
    ("column", "value", "state"),
    [
        ("current_price", "-0.01", CHECK),
        ("current_price", "'NaN'", CHECK),
        ("current_price", "'Infinity'", "22003"),
        ("current_price", "1000000000000", "22003"),
        ("current_price", "NULL", NOT_NULL),
        ("price_basis", "0", CHECK),
        ("supplier_sku", "''", CHECK),
        ("supplier_sku", "repeat('x', 256)", "22001"),
        ("name", "repeat('x', 501)", "22001"),
        ("characteristics", "'{bad'", "22P02"),
        ("characteristics", "'{\"a\": NaN}'", "22P02"),
        ("characteristics", '\'{"a": "\\u0000"}\'', "22P05"),
        ("characteristics", "NULL", NOT_NULL),
    ],
)
async def test_an_item_that_cannot_be_is_refused(db: asyncpg.Connection, column: str, value: str, state: str) -> None:
    supplier = await db.fetchval(SUPPLIER)
    await item(db, supplier, "a")
    assert await refusal(db, f"UPDATE supplier_items SET {column} = {value}") == state


async def test_prices_of_history_are_held_to_the_same_rule(db: asyncpg.Connection) -> None:
    found = await item(db, await db.fetchval(SUPPLIER), "a")
    await db.execute(HISTORY, found, 1)
    for value in ("-1", "'NaN'"):
        assert await refusal(db, f"UPDATE price_history SET price = {value}") == CHECK
    assert await refusal(db, HISTORY, found, 1) == UNIQUE


async def test_six_decimals_and_the_smallest_price_are_kept(db: asyncpg.Connection) -> None:
    await item(db, await db.fetchval(SUPPLIER), "a")
    await db.execute("UPDATE supplier_items SET current_price = '999999999999.000001'")
    assert await db.fetchval("SELECT current_price::text FROM supplier_items") == "999999999999.000001"
    await db.execute("UPDATE supplier_items SET current_price = 0")


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("INSERT INTO suppliers (name, source_type) VALUES ('ACME', 'csv')", UNIQUE),
        ("INSERT INTO suppliers (name, source_type) VALUES ('  ', 'csv')", CHECK),
        ("INSERT INTO categories (name) VALUES ('A')", UNIQUE),
        ("INSERT INTO categories (name) VALUES (' ')", CHECK),
        ("INSERT INTO products (internal_sku, name, status) VALUES ('x', 'x', 'retired')", "22P02"),
        ("INSERT INTO products (internal_sku, name) VALUES ('P', 'x')", UNIQUE),
        ("UPDATE tasks SET status = 'lost'", "22P02"),
        ("UPDATE tasks SET status = 'running'", CHECK),
        ("UPDATE tasks SET lease_until = now()", CHECK),
        ("INSERT INTO checkpoints (task_key, sequence, epoch, document) VALUES (1, 0, 1, '{}')", CHECK),
        ("INSERT INTO task_attempts (task_key, epoch, attempt, worker) VALUES (99, 1, 1, 'w')", FOREIGN),
        ("UPDATE supplier_profiles SET version = 0", CHECK),
        ("UPDATE supplier_profiles SET document = NULL", NOT_NULL),
    ],
)
async def test_a_row_that_cannot_be_is_refused(db: asyncpg.Connection, statement: str, state: str) -> None:
    supplier = await db.fetchval(SUPPLIER)
    profile = "INSERT INTO supplier_profiles (supplier_id, version, document, created_by) VALUES ($1, 1, '{}', 'me')"
    await db.execute(profile, supplier)
    await db.execute("INSERT INTO categories (name) VALUES ('A')")
    await db.execute("INSERT INTO products (internal_sku, name) VALUES ('P', 'Drill')")
    await db.execute(TASK, "t1", "ACME")
    assert await refusal(db, statement) == state


async def test_one_task_a_supplier_runs_at_a_time(db: asyncpg.Connection) -> None:
    running = "UPDATE tasks SET status = 'running', lease_until = now() WHERE task_id = $1"
    for task_id, supplier in (("t1", "ACME"), ("t2", "ACME"), ("t3", "other")):
        await db.execute(TASK, task_id, supplier)
    await db.execute(running, "t1")
    await db.execute(running, "t3")
    assert await refusal(db, running, "t2") == UNIQUE


async def test_a_rejected_row_is_logged_once(db: asyncpg.Connection) -> None:
    log = "INSERT INTO parsing_logs (task_id, error_type, error_message, row_number) VALUES ('t', $1, 'x', $2)"
    for row in (7, None):
        await db.execute(log, "price_missing", row)
        await db.execute(log, "name_missing", row)
        assert await refusal(db, log, "price_missing", row) == UNIQUE


async def test_one_dead_letter_a_task_is_open(db: asyncpg.Connection) -> None:
    key = await db.fetchval(TASK, "t1", "ACME")
    letter = (
        "INSERT INTO dead_letters (task_key, message, error, category, code, reason, attempts, message_sha256)"
        " VALUES ($1, '{}', '{}', 'c', 'c', 'r', 1, $2)"
    )
    await db.execute(letter, key, None)
    assert await refusal(db, letter, key, None) == UNIQUE
    await db.execute("UPDATE dead_letters SET status = 'replayed'")
    await db.execute(letter, key, None)
    await db.execute(letter, None, "0" * 64)
    assert await refusal(db, letter, None, "0" * 64) == UNIQUE


class TestCategories:
    async def test_a_circle_is_refused(self, db: asyncpg.Connection) -> None:
        top = await db.fetchval("INSERT INTO categories (name) VALUES ('top') RETURNING id")
        middle = await db.fetchval("INSERT INTO categories (name, parent_id) VALUES ('middle', $1) RETURNING id", top)
        leaf = await db.fetchval("INSERT INTO categories (name, parent_id) VALUES ('leaf', $1) RETURNING id", middle)
        move = "UPDATE categories SET parent_id = $2 WHERE id = $1"
        assert await refusal(db, move, top, leaf) == CHECK
        assert await refusal(db, move, top, top) == CHECK
        await db.execute(move, leaf, top)

    async def test_a_circle_inserted_by_one_statement_is_refused(self, db: asyncpg.Connection) -> None:
        two = (
            "INSERT INTO categories (id, name, parent_id) VALUES "
            "('00000000-0000-0000-0000-000000000001', 'a', '00000000-0000-0000-0000-000000000002'),"
            "('00000000-0000-0000-0000-000000000002', 'b', '00000000-0000-0000-0000-000000000001')"
        )
        assert await refusal(db, two) == CHECK

    async def test_two_moves_that_would_close_a_circle_together_take_turns(self, database_url: str) -> None:
        one, two = await connect(database_url), await connect(database_url)
        a, b = [await one.fetchval("INSERT INTO categories (name) VALUES ($1) RETURNING id", name) for name in "ab"]
        move = "UPDATE categories SET parent_id = $2 WHERE id = $1"
        transaction = one.transaction()
        await transaction.start()
        await one.execute(move, a, b)
        other = asyncio.create_task(two.execute(move, b, a))
        await asyncio.sleep(0.1)
        await transaction.commit()
        with pytest.raises(asyncpg.CheckViolationError):
            await other
        await one.close()
        await two.close()

    async def test_a_deleted_category_takes_its_children_and_leaves_items_and_products(
        self, db: asyncpg.Connection
    ) -> None:
        top = await db.fetchval("INSERT INTO categories (name) VALUES ('top') RETURNING id")
        leaf = await db.fetchval("INSERT INTO categories (name, parent_id) VALUES ('leaf', $1) RETURNING id", top)
        other = await db.fetchval("INSERT INTO categories (name) VALUES ('other') RETURNING id")
        supplier = await db.fetchval(SUPPLIER)
        for sku, category in (("a", top), ("b", leaf), ("c", other)):
            await item(db, supplier, sku, category)
        await db.execute("INSERT INTO products (internal_sku, name, category_id) VALUES ('P', 'x', $1)", leaf)
        await db.execute("DELETE FROM categories WHERE id = $1", top)
        kept = dict(await db.fetch("SELECT supplier_sku, category_id FROM supplier_items"))
        assert kept == {"a": None, "b": None, "c": other}
        assert await db.fetchval("SELECT category_id FROM products") is None
        assert await db.fetchval("SELECT count(*) FROM categories") == 1


class TestDeletes:
    async def test_a_deleted_supplier_takes_its_items_and_their_history(self, db: asyncpg.Connection) -> None:
        gone = await db.fetchval(SUPPLIER)
        stays = await db.fetchval("INSERT INTO suppliers (name, source_type) VALUES ('other', 'csv') RETURNING id")
        for supplier in (gone, stays):
            for sku in ("a", "b"):
                await db.execute(HISTORY, await item(db, supplier, sku), 1)
        await db.execute(
            "INSERT INTO parsing_logs (task_id, supplier_id, error_type, error_message) VALUES ('t', $1, 'x', 'x')",
            gone,
        )
        await db.execute("DELETE FROM suppliers WHERE id = $1", gone)
        assert await db.fetchval("SELECT count(*) FROM supplier_items") == 2
        assert await db.fetchval("SELECT count(*) FROM price_history") == 2
        assert await db.fetchval(
            "SELECT count(*) FROM price_history h WHERE NOT EXISTS"
            " (SELECT FROM supplier_items i WHERE i.id = h.supplier_item_id)"
        ) == 0  # fmt: skip
        assert await db.fetchval("SELECT count(*) FROM parsing_logs WHERE supplier_id IS NULL") == 1

    async def test_a_deleted_product_leaves_its_items(self, db: asyncpg.Connection) -> None:
        product = await db.fetchval("INSERT INTO products (internal_sku, name) VALUES ('P', 'x') RETURNING id")
        await db.fetchval(ITEM, await db.fetchval(SUPPLIER), "a", None, product)
        await db.execute("DELETE FROM products")
        assert [row[0] for row in await db.fetch("SELECT product_id FROM supplier_items")] == [None]

    async def test_an_item_of_an_unknown_supplier_is_refused(self, db: asyncpg.Connection) -> None:
        nobody = "00000000-0000-0000-0000-000000000001"
        assert await refusal(db, ITEM, nobody, "a", None, None) == FOREIGN

    async def test_no_orphan_arises_while_a_supplier_is_deleted(self, database_url: str) -> None:
        loader, operator = await connect(database_url), await connect(database_url)
        supplier = await loader.fetchval(SUPPLIER)
        transaction = loader.transaction()
        await transaction.start()
        found = await item(loader, supplier, "a")
        await loader.execute(HISTORY, found, 1)
        delete = asyncio.create_task(operator.execute("DELETE FROM suppliers"))
        await asyncio.sleep(0.1)
        assert not delete.done()
        await transaction.commit()
        await delete
        assert await loader.fetchval("SELECT count(*) FROM supplier_items") == 0
        assert await loader.fetchval("SELECT count(*) FROM price_history") == 0
        await loader.close()
        await operator.close()
