"""The worker's role: enough for everything a worker does, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import db
from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.outcome import Completed, DeadLetter
from contracts.rows import Batch, Cursor, Item, RowError
from db import embedded
from db.catalog import PostgresMatcher
from db.connection import connect
from db.loader import PostgresLoader
from db.profiles import PostgresProfiles
from tests.contract.test_ledger import BROKEN
from tests.support.ledgers import LEASE, claimed, postgres_bench, result, task

ROLES = Path(db.__path__[0]) / "sql" / "roles.sql"


def name_of(url: str) -> str:
    return url.split("@/", 1)[1].split("?", 1)[0]


@pytest.fixture
def worker_url(postgres: embedded.EmbeddedPostgres, database_url: str) -> Iterator[str]:
    """The test's database as the worker's role sees it."""
    for _ in range(2):
        postgres.psql(ROLES.read_text(), database=name_of(database_url))
    postgres.psql("ALTER ROLE pricemill_worker LOGIN")
    yield database_url.replace("postgres@", "pricemill_worker@")
    postgres.psql("DROP OWNED BY pricemill_owner, pricemill_worker, pricemill_reader", database=name_of(database_url))


def item(row: int, sku: str, price: str) -> Item:
    return Item(
        row_number=row,
        fingerprint=row,
        key_hash=row,
        sku=sku,
        name=f"name of {sku}",
        price=price,
        currency="EUR",
        price_basis="1",
        unit=None,
        gtin=None,
        category=("Tools", "Drills"),
        characteristics="{}",
    )


async def load(url: str, claim: Any, *, restarted: bool) -> Account:
    loader = await PostgresLoader.open(url, claim, lease=LEASE, source_type="csv", restarted=restarted)
    try:
        batch = Batch(
            number=1,
            cursor=Cursor(row=4),
            items=[item(2, "a", "1.50"), item(3, "b", "2")],
            rejects=[RowError(4, "price_missing", "price is blank", "price", "", ("c", ""))],
            account=Account(read=3),
        )
        batch.account.rejected["price_missing"] = 1
        kept: list[Account] = []

        def complete(account: Account) -> dict[str, Any]:
            kept.append(account)
            return Checkpoint(claim.task.task_id, 1, batch.cursor, account, "0" * 64, "1" * 64).document()

        return await loader.commit(await loader.stage(batch), complete)
    finally:
        await loader.close()


async def test_the_workers_role_can_do_all_that_a_worker_does(worker_url: str) -> None:
    async with postgres_bench(worker_url) as bench:
        ledger = bench.ledger
        await ledger.register_worker("w1", host="h", pid=1, version="1", slots=5)
        claim = await claimed(bench, task())
        assert await ledger.renew([], worker="w1", lease=LEASE) == set()
        await load(worker_url, claim, restarted=False)
        account = await load(worker_url, claim, restarted=True)
        assert (account.new, account.rejected.total()) == (2, 1)
        async with PostgresMatcher.open(worker_url, by_code=True, create_drafts=True) as matcher:
            assert await matcher.match(claim) == 2
        async with PostgresProfiles.open(worker_url) as profiles:
            assert await profiles.add("ACME", {"a": 1}, created_by="pricemill") == 1
        await ledger.settle(claim, Completed(result(claim.task.task_id, account)))
        dead = await claimed(bench, task())
        await ledger.settle(dead, DeadLetter(BROKEN))
        await ledger.replay([dead.task.task_id], actor="me")
        await ledger.cancel(dead.task.task_id, actor="me")
        await ledger.bury("no json", BROKEN)
        await ledger.discard([letter["id"] for letter in await bench.letters()], actor="me")
        await ledger.sweep()
        await ledger.depth()
        await ledger.forget_worker("w1")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "DROP TABLE suppliers",
        "TRUNCATE price_history",
        "DELETE FROM suppliers",
        "DELETE FROM tasks",
        "DELETE FROM task_attempts",
        "DELETE FROM dead_letters",
        "UPDATE products SET status = 'active'",
        "UPDATE supplier_profiles SET document = '{}'",
        "ALTER TABLE products DISABLE TRIGGER products_lifecycle",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
async def test_the_workers_role_can_do_no_more(worker_url: str, statement: str) -> None:
    connection = await connect(worker_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
