"""The loader where only a real database shows it: refused rows, lost connections and answers, locks, plans."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.account import Account
from contracts.checkpoint import Checkpoint
from contracts.errors import DatabaseUnavailable, LeaseLost
from contracts.rows import Batch, Cursor, Item, RowError
from contracts.store import Claim
from db.connection import connect
from db.loader import PostgresLoader
from db.loader_sql import MERGE
from pipeline import chunks
from tests.support.ledgers import LEASE, claimed
from tests.support.lists import PostgresDesk, Stop, StopAfter, list_task, load, understanding, whole
from tests.support.postgres_proxy import Cut, Request, postgres_proxy

MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LINES = [f"k{number:03d},Item {number},{number + 1}.50,red" for number in range(40)]


@dataclass
class Cutting:
    """Cuts connections at the next `times` requests whose SQL holds `at`; at none before it is set."""

    at: str = ""
    how: Cut = Cut.AFTER
    times: int = 1

    def __call__(self, request: Request) -> Cut | None:
        if not self.at or self.at not in request.text or not self.times:
            return None
        self.times -= 1
        return self.how


def item(row: int, sku: str, **changes: Any) -> Item:
    members: dict[str, Any] = {
        "row_number": row,
        "fingerprint": row,
        "key_hash": row,
        "sku": sku,
        "name": f"name of {sku}",
        "price": "1.50",
        "currency": "EUR",
        "price_basis": "1",
        "unit": None,
        "gtin": None,
        "category": (),
        "characteristics": "{}",
    }
    return Item(**members | changes)


def batch_of(*items: Item, rejects: tuple[RowError, ...] = (), number: int = 1) -> Batch:
    account = Account(read=len(items) + len(rejects))
    account.rejected.update(reject.code for reject in rejects)
    return Batch(number, Cursor(row=items[-1].row_number), list(items), rejects=list(rejects), account=account)


class Completer:
    """Makes the checkpoint's document, and counts how often it was asked."""

    def __init__(self, claim: Claim, sequence: int = 1) -> None:
        self.claim = claim
        self.sequence = sequence
        self.accounts: list[Account] = []

    def __call__(self, account: Account) -> dict[str, Any]:
        self.accounts.append(account)
        return Checkpoint(
            self.claim.task.task_id, self.sequence, Cursor(row=account.read), account, "0" * 64, "1" * 64
        ).document()


async def claim_of(desk: PostgresDesk, task_id: str = "t1") -> Claim:
    return await claimed(desk.bench, list_task(task_id, MONDAY))


async def open_loader(url: str, claim: Claim) -> PostgresLoader:
    return await PostgresLoader.open(url, claim, lease=LEASE, source_type="csv")


async def test_rows_that_the_database_refuses_are_found_and_their_neighbours_loaded(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    bad = {
        5: item(5, "nul", name="a\x00b"),
        9: item(9, "surrogate", name="a\ud800b"),
        12: item(12, "long", name="x" * 501),
        17: item(17, "huge", price="1" * 13),
        18: item(18, "json", characteristics='{"a":1e99999999}'),
        30: item(30, "nan", price="NaN"),
    }
    items = [bad.get(row) or item(row, f"good{row}") for row in range(2, 42)]
    loader = await open_loader(desk.url, claim)
    complete = Completer(claim)
    account = await loader.commit(await loader.stage(batch_of(*items)), complete)
    await loader.close()
    assert account.balanced
    assert (account.new, dict(account.rejected)) == (len(items) - len(bad), {"refused_by_database": len(bad)})
    assert len(complete.accounts) == 1
    assert await desk.logs() == [("t1", row, "refused_by_database") for row in bad]
    assert set(await desk.items()) == {one.sku for one in items} - {one.sku for one in bad.values()}


async def test_a_later_row_of_a_refused_key_is_a_new_item_and_no_duplicate(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    loader = await open_loader(desk.url, claim)
    await loader.commit(await loader.stage(batch_of(item(2, "a", price="NaN"), item(3, "b"))), Completer(claim))
    again = Batch(2, Cursor(row=4), repeated=[item(4, "a")], account=Account(read=1))
    account = await loader.commit(await loader.stage(again), Completer(claim, 2))
    await loader.close()
    assert account == Account(read=1, new=1)


async def test_what_cannot_be_stored_is_logged_as_its_escape(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    reject = RowError(3, "text_invalid", "Name\x00 is bad", "name", "a\x00\ud800", ("k", "a\x00\ud800", None))
    loader = await open_loader(desk.url, claim)
    await loader.commit(await loader.stage(batch_of(item(2, "a"), rejects=(reject,))), Completer(claim))
    await loader.close()
    row = await desk.bench.connection.fetchrow("SELECT value, row_data ->> 1 AS cell, error_message FROM parsing_logs")
    assert tuple(row) == ("a\\x00\\ud800", "a\\x00\\ud800", "Name\\x00 is bad")


async def test_text_that_looks_like_copy_syntax_arrives_as_it_is(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    odd = [
        item(2, "\\N", name="\\.", unit="\\N", gtin="\t", category=("\\", "a\nb")),
        item(3, "a\tb", name='"\\"', unit="", characteristics='{"k\\\\":"\\t\\"x"}'),
    ]
    loader = await open_loader(desk.url, claim)
    account = await loader.commit(await loader.stage(batch_of(*odd)), Completer(claim))
    await loader.close()
    assert account.new == len(odd)
    rows = await desk.bench.connection.fetch(
        "SELECT supplier_sku, name, unit, gtin, characteristics::text FROM supplier_items ORDER BY source_row"
    )
    assert [tuple(row) for row in rows] == [
        ("\\N", "\\.", "\\N", "\t", "{}"),
        ("a\tb", '"\\"', "", None, '{"k\\\\": "\\t\\"x"}'),
    ]
    assert (await desk.items())["\\N"].category == ("\\", "a\nb")


async def test_a_commit_whose_answer_is_lost_is_recognised(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    cutting = Cutting()
    async with postgres_proxy(desk.url, cutting) as (url, proxy):
        loader = await open_loader(url, claim)
        staged = await loader.stage(batch_of(item(2, "a"), item(3, "b")))
        cutting.at = "COMMIT"
        complete = Completer(claim)
        account = await loader.commit(staged, complete)
        assert len(proxy.cuts) == 1
        assert account == Account(read=2, new=2)
        assert complete.accounts == [account]
        following = await loader.commit(await loader.stage(batch_of(item(4, "c"), number=2)), Completer(claim, 2))
        assert following.new == 1
        await loader.close()
    assert {sku: len(rows) for sku, rows in (await desk.history()).items()} == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("lost", Cut)
async def test_a_chunk_without_items_survives_a_lost_connection(desk: PostgresDesk, lost: Cut) -> None:
    claim = await claim_of(desk)
    reject = RowError(2, "price_missing", "price is blank", "price", "", ("a", ""))
    batch = Batch(1, Cursor(row=2), rejects=[reject], account=Account(read=2, unchanged=1))
    batch.account.rejected["price_missing"] = 1
    cutting = Cutting()
    async with postgres_proxy(desk.url, cutting) as (url, proxy):
        loader = await open_loader(url, claim)
        await loader.commit(await loader.stage(Batch(0, Cursor(row=0))), Completer(claim, 1))
        staged = await loader.stage(batch)
        cutting.at, cutting.how = "parsing_logs", lost
        complete = Completer(claim, 2)
        account = await loader.commit(staged, complete)
        assert len(proxy.cuts) == 1
        following = await loader.commit(await loader.stage(batch_of(item(4, "c"), number=2)), Completer(claim, 3))
        await loader.close()
    assert complete.accounts == [account] == [batch.account]
    assert following.new == 1
    assert await desk.logs() == [("t1", 2, "price_missing")]


async def test_a_chunk_without_items_stops_at_the_fence(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    loader = await open_loader(desk.url, claim)
    staged = await loader.stage(Batch(1, Cursor(row=1), account=Account(read=1, unchanged=1)))
    await desk.take_away(claim)
    with pytest.raises(LeaseLost):
        await loader.commit(staged, Completer(claim))
    await loader.close()
    assert await desk.bench.connection.fetchval("SELECT count(*) FROM checkpoints") == 0


async def test_a_commit_that_never_arrived_is_repeated(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    cutting = Cutting()
    async with postgres_proxy(desk.url, cutting) as (url, proxy):
        loader = await open_loader(url, claim)
        staged = await loader.stage(batch_of(item(2, "a"), item(3, "b")))
        cutting.at, cutting.how = "COMMIT", Cut.BEFORE
        account = await loader.commit(staged, Completer(claim))
        assert len(proxy.cuts) == 1
        await loader.close()
    assert account == Account(read=2, new=2)
    assert {sku: len(rows) for sku, rows in (await desk.history()).items()} == {"a": 1, "b": 1}


@pytest.mark.parametrize("moment", ["COPY", "tasks SET lease_until", "INSERT INTO price_history", "parsing_logs"])
@pytest.mark.parametrize("how", Cut)
async def test_a_connection_lost_at_any_statement_costs_nothing(desk: PostgresDesk, moment: str, how: Cut) -> None:
    claim = await claim_of(desk)
    cutting = Cutting()
    async with postgres_proxy(desk.url, cutting) as (url, proxy):
        loader = await open_loader(url, claim)
        cutting.at, cutting.how = moment, how
        account = await loader.commit(await loader.stage(batch_of(item(2, "a"))), Completer(claim))
        await loader.close()
        assert len(proxy.cuts) == 1
    assert account == Account(read=1, new=1)
    assert {sku: len(rows) for sku, rows in (await desk.history()).items()} == {"a": 1}


async def test_a_connection_that_keeps_breaking_ends_the_attempt(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    cutting = Cutting()
    async with postgres_proxy(desk.url, cutting) as (url, _):
        loader = await open_loader(url, claim)
        cutting.at, cutting.how, cutting.times = "INSERT INTO price_history", Cut.BEFORE, 1_000
        staged = await loader.stage(batch_of(item(2, "a")))
        with pytest.raises(DatabaseUnavailable):
            await loader.commit(staged, Completer(claim))
        await loader.close()
    assert await desk.items() == {}


async def test_a_whole_list_survives_lost_connections(desk: PostgresDesk) -> None:
    cutting = Cutting()
    async with postgres_proxy(desk.url, cutting) as (url, proxy):
        cutting.times = 0

        class Arm:
            """Every second commit loses its answer, and so does the first attempt to find out."""

            def check(self, progress: chunks.Progress) -> None:
                cutting.at = "COMMIT"
                if progress.checkpoint.sequence % 2:
                    cutting.times = 2

        through = PostgresDesk(url, desk.bench)
        lines = [*LINES, LINES[0].replace("Item", "Thing")]
        done = await whole(through, lines, task_id="t1", as_of=MONDAY, guards=[Arm()])
        assert len(proxy.cuts) > 4
    assert done is not None
    assert (done.account.new, done.account.ignored["duplicate"]) == (len(LINES), 1)
    assert {len(rows) for rows in (await desk.history()).values()} == {1}


async def test_a_deadlock_is_tried_again_unseen(desk: PostgresDesk) -> None:
    """Someone holds the item that the chunk writes and wants the task's row, which the chunk holds."""
    await whole(desk, LINES[:3], task_id="t0", as_of=MONDAY)
    claim = await claim_of(desk)
    loader = await open_loader(desk.url, claim)
    staged = await loader.stage(batch_of(item(2, "k000", price="99")))
    other = desk.bench.connection
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SET LOCAL deadlock_timeout = '10s'")  # so that the loader is the one to be refused
    await other.execute("UPDATE supplier_items SET product_id = NULL")
    commit = asyncio.create_task(loader.commit(staged, Completer(claim)))
    await until(desk, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")
    await other.execute("UPDATE tasks SET worker = 'x' WHERE id = $1", claim.task_key)
    await transaction.commit()
    account = await commit
    await loader.close()
    assert account == Account(read=1, changed=1)


async def test_a_category_deleted_on_the_way_is_made_again(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    loader = await open_loader(desk.url, claim)
    staged = await loader.stage(batch_of(item(2, "a", category=("Tools", "Drills"))))
    await desk.bench.connection.execute("DELETE FROM categories")
    await loader.commit(staged, Completer(claim))
    await loader.close()
    assert (await desk.items())["a"].category == ("Tools", "Drills")


async def test_a_lost_lease_leaves_no_transaction_behind(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    loader = await open_loader(desk.url, claim)
    staged = await loader.stage(batch_of(item(2, "a")))
    await desk.take_away(claim)
    with pytest.raises(LeaseLost):
        await loader.commit(staged, Completer(claim))
    await until(desk, f"SELECT NOT EXISTS ({OPEN_TRANSACTIONS})")
    await loader.close()


OPEN_TRANSACTIONS = """
SELECT FROM pg_stat_activity WHERE application_name = 'pricemill-loader' AND datname = current_database()
   AND xact_start IS NOT NULL
"""


async def until(desk: PostgresDesk, condition: str) -> None:
    """Waits, at most 20 s, until a query answers true."""
    observer = await connect(desk.url)
    try:
        async with asyncio.timeout(20):
            while not await observer.fetchval(condition):  # noqa: ASYNC110  # the server has no event for it
                await asyncio.sleep(0.01)
    finally:
        await observer.close()


async def test_the_lease_is_prolonged_with_each_chunk(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    lease = "SELECT lease_until FROM tasks WHERE id = $1"
    before = await desk.bench.connection.fetchval(lease, claim.task_key)
    loader = await open_loader(desk.url, claim)
    await loader.commit(await loader.stage(batch_of(item(2, "a"))), Completer(claim))
    await loader.close()
    assert await desk.bench.connection.fetchval(lease, claim.task_key) > before


async def test_a_match_survives_every_later_list(desk: PostgresDesk) -> None:
    await whole(desk, LINES[:4], task_id="t1", as_of=MONDAY)
    product = await desk.bench.connection.fetchval(
        "INSERT INTO products (internal_sku, name) VALUES ('P1', 'Thing') RETURNING id"
    )
    await desk.bench.connection.execute("UPDATE supplier_items SET product_id = $1", product)
    changed = [line.replace(".50", ".75").replace("Item", "Thing") for line in LINES[:4]]
    await whole(desk, [*changed, changed[0]], task_id="t2", as_of=MONDAY.replace(day=3), size=2)
    matched = await desk.bench.connection.fetch("SELECT DISTINCT product_id FROM supplier_items")
    assert [row["product_id"] for row in matched] == [product]


async def test_known_arrays_hold_every_fingerprint_with_its_key(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    count = 9_000  # more than one message of COPY
    items = [
        item(row, f"k{row}", fingerprint=(row * 7919) % 100_003 - 50_000, key_hash=-row) for row in range(2, count)
    ]
    items.append(item(count, "without", fingerprint=None))
    loader = await open_loader(desk.url, claim)
    await loader.commit(await loader.stage(batch_of(*items)), Completer(claim))
    known = await loader.known()
    await loader.close()
    pairs = sorted((one.fingerprint, one.key_hash) for one in items if one.fingerprint is not None)
    assert list(zip(known.fingerprints.tolist(), known.key_hashes.tolist(), strict=True)) == pairs


async def test_nothing_is_known_of_a_new_supplier(desk: PostgresDesk) -> None:
    loader = await open_loader(desk.url, await claim_of(desk))
    known = await loader.known()
    await loader.close()
    assert (len(known.fingerprints), len(known.key_hashes)) == (0, 0)


async def test_a_cancelled_run_leaves_no_task_and_no_transaction(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    blocker = desk.bench.connection
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("SELECT FROM tasks WHERE id = $1 FOR UPDATE", claim.task_key)
    before = asyncio.all_tasks()
    run = asyncio.create_task(load(desk, claim, LINES, understanding()))
    await until(desk, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await transaction.rollback()
    assert not [task for task in asyncio.all_tasks() - before if not task.done()]
    await until(desk, f"SELECT NOT EXISTS ({OPEN_TRANSACTIONS})")
    assert await desk.items() == {}


async def test_collections_are_as_before_when_a_run_has_ended(desk: PostgresDesk) -> None:
    before = gc.get_threshold()
    claim = await claim_of(desk)
    seen: list[tuple[int, int, int]] = []

    class Look:
        def check(self, progress: chunks.Progress) -> None:
            seen.append(gc.get_threshold())

    with pytest.raises(Stop):
        await load(desk, claim, LINES, understanding(), guards=[Look(), StopAfter(2)])
    assert set(seen) == {chunks.GC_THRESHOLDS}
    assert gc.get_threshold() == before


async def test_a_guard_that_stops_keeps_every_chunk_committed_until_then(desk: PostgresDesk) -> None:
    claim = await claim_of(desk)
    with pytest.raises(Stop):
        await load(desk, claim, LINES, understanding(), size=5, guards=[StopAfter(3)])
    stored = await desk.bench.connection.fetchval("SELECT max(sequence) FROM checkpoints")
    items = await desk.items()
    assert len(items) == stored * 5 - 1
    assert stored == 3


async def test_many_items_are_probed_by_index_whatever_the_planner_knows(desk: PostgresDesk) -> None:
    """A plan made while the table was empty must not be used, row by row, when it is full."""
    loader = await open_loader(desk.url, await claim_of(desk))
    connection = await loader._lanes[0].connection()
    plan = [row[0] for row in await connection.fetch("EXPLAIN " + merge_with_literals(loader))]
    await loader.close()
    probes = [line for line in plan if "supplier_items_supplier_id_supplier_sku_key" in line]
    assert len(probes) == 1
    assert any("supplier_sku" in line and "Index Cond" in line for line in plan)
    assert not any("Seq Scan on supplier_items" in line for line in plan)


def merge_with_literals(loader: PostgresLoader) -> str:
    statement = MERGE
    values = (f"'{loader.supplier_id}'::uuid", "1", "now()", "false", "5", "5", "1", "NULL")
    for number, value in enumerate(values, 1):
        statement = statement.replace(f"${number}", value)
    return statement
