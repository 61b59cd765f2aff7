"""The read models, against tables filled by SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from db.reports import Reports
from db.reports_catalog import LISTED
from db.reports_errors import DeadFilter
from db.reports_reader import TablesMissing
from db.reports_rejected import RejectedFilter
from db.reports_tasks import TaskFilter
from tests.support import ops_seed as seed


@pytest.fixture
async def reports(database_url: str) -> AsyncIterator[Reports]:
    await seed.fill(database_url)
    opened = await Reports.open(database_url)
    yield opened
    await opened.close()


async def test_status_counts_what_waits_runs_and_is_dead(reports: Reports) -> None:
    status = await reports.status()
    assert (status.queued, status.retryable, status.running, status.due, status.dead) == (2, 0, 1, 2, 2)
    assert status.oldest_due_seconds is not None
    assert status.oldest_due_seconds >= 180
    assert [run.task_id for run in status.runs] == [seed.RUNNING]
    assert [(worker.name, worker.alive) for worker in status.workers] == [("ingest-01", True)]


async def test_throughput_counts_the_rows_of_the_window_only(reports: Reports, database_url: str) -> None:
    assert (await reports.status()).rows_per_minute == 3_000  # 30,000 rows in 10 minutes, the run began inside
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE tasks SET started_at = now() - interval '1 hour' WHERE status = 'running'")
    await connection.execute("UPDATE checkpoints SET created_at = now() - interval '11 min' WHERE sequence = 1")
    await connection.close()
    assert (await reports.status()).rows_per_minute == 1_500


async def test_a_worker_without_a_heartbeat_is_lost(reports: Reports, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE workers SET heartbeat_at = now() - interval '31 s'")
    await connection.close()
    assert [worker.alive for worker in (await reports.status()).workers] == [False]


async def test_status_of_an_empty_database_is_all_zero(database_url: str) -> None:
    reports = await Reports.open(database_url)
    status = await reports.status()
    await reports.close()
    assert (status.queued, status.running, status.dead, status.rows_per_minute) == (0, 0, 0, 0)
    assert status.oldest_due_seconds is None


async def test_tasks_come_newest_first_in_pages_without_overlap(reports: Reports) -> None:
    seen, cursor = [], None
    while True:
        page = await reports.tasks(TaskFilter(limit=4, before=cursor))
        seen += [task.task_id for task in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (TaskFilter(states=("queued",)), [seed.BLOCKED, seed.QUEUED]),
        (TaskFilter(supplier="Nordwind"), [seed.SECOND, seed.FIRST]),
        (TaskFilter(states=("dead",), supplier="Nordwind"), []),
    ],
)
async def test_tasks_can_be_filtered(reports: Reports, which: TaskFilter, expected: list[str]) -> None:
    assert [task.task_id for task in (await reports.tasks(which)).items] == expected


async def test_a_running_task_shows_the_rows_of_its_newest_checkpoint(reports: Reports) -> None:
    [task] = (await reports.tasks(TaskFilter(states=("running",)))).items
    assert (task.rows, task.rejected, task.priority, task.source) == (30_000, 100, "high", "acme.csv")
    progress = await reports.progress(seed.RUNNING)
    assert progress is not None
    assert (progress.state, progress.rows, progress.rejected, progress.offset) == ("running", 30_000, 100, 1_200_000)


async def test_one_task_shows_account_attempts_and_what_blocks_it(reports: Reports) -> None:
    second = await reports.task(seed.SECOND)
    assert second is not None
    assert second.account is not None
    assert second.account["rejected"] == {"price_not_a_number": 1, "sku_missing": 1}
    assert second.understanding is not None
    assert second.understanding["currency"] == "EUR"
    assert [attempt.outcome for attempt in second.attempts] == ["completed"]
    blocked = await reports.task(seed.BLOCKED)
    assert blocked is not None
    assert blocked.blocked_by == seed.QUEUED
    dead = await reports.task(seed.DEAD)
    assert dead is not None
    assert dead.dead_letter == seed.DEAD_LETTER
    assert await reports.task("nothing") is None


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        (seed.FIRST, 1),
        (seed.FIRST[:8], 2),
        (seed.FIRST[:35], 2),
        ("019a4000", 2),
        ("ffff", 0),
        ("my-own", 1),
        ("x%", 0),
    ],
)
async def test_tasks_are_found_by_prefix(reports: Reports, database_url: str, prefix: str, found: int) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE tasks SET task_id = 'my-own-id' WHERE task_id = $1", seed.BLOCKED)
    await connection.close()
    assert len(await reports.find_tasks(prefix)) == found


async def test_the_same_bytes_are_recognised(reports: Reports) -> None:
    assert await reports.same_bytes("Nordwind", seed.SHA) == seed.SECOND
    assert await reports.same_bytes("Acme", seed.SHA) is None


async def test_dead_letters_are_listed_grouped_and_shown(reports: Reports) -> None:
    page = await reports.dead_letters(DeadFilter(limit=1))
    assert [letter.id for letter in page.items] == [seed.DEAD_LETTER]
    rest = await reports.dead_letters(DeadFilter(limit=1, before=page.next))
    assert [letter.id for letter in rest.items] == [seed.NOT_A_TASK]
    assert rest.next is None
    groups = await reports.dead_letter_groups()
    assert [(group.code, group.count, group.suppliers) for group in groups] == [
        ("contract_violation", 1, 0),
        ("header_not_found", 1, 1),
    ]
    shown = await reports.dead_letter(seed.DEAD_LETTER)
    assert shown is not None
    assert shown.error["exception"] == "contracts.errors.HeaderNotFound"
    assert await reports.find_dead_letters(seed.DEAD_LETTER[:10], limit=5) == [seed.DEAD_LETTER, seed.NOT_A_TASK]
    assert await reports.dead_letters_of([seed.DEAD, seed.FIRST]) == [seed.DEAD_LETTER]
    only = await reports.dead_letters(DeadFilter(cause="header_not_found", supplier="Óptica Luz"))
    assert len(only.items) == 1


async def test_rejected_rows_come_in_file_order_with_their_remedy(reports: Reports) -> None:
    page = await reports.rejected(RejectedFilter(task_id=seed.SECOND, limit=1))
    rest = await reports.rejected(RejectedFilter(task_id=seed.SECOND, limit=1, after=page.next))
    rows = [*page.items, *rest.items]
    assert [(row.row, row.code, row.sheet, row.source) for row in rows] == [
        (8, "price_not_a_number", "Preise", "nordwind-11.csv"),
        (9, "sku_missing", "Preise", "nordwind-11.csv"),
    ]
    assert rest.next is None
    assert all(row.fix for row in rows)
    newest = await reports.rejected(RejectedFilter(supplier="Nordwind", code="sku_missing"))
    assert [row.row for row in newest.items] == [9]
    assert len((await reports.rejected(RejectedFilter())).items) == 2


async def test_rejected_rows_group_by_cause(reports: Reports) -> None:
    for groups in (
        await reports.rejected_groups(task_id=seed.SECOND),
        await reports.rejected_groups(supplier="Nordwind"),
    ):
        assert [(group.code, group.count) for group in groups] == [("price_not_a_number", 1), ("sku_missing", 1)]
    assert await reports.rejected_groups(supplier="Acme") == ()


async def test_a_price_is_explained_back_to_its_row(reports: Reports) -> None:
    explained = await reports.explain_price("Nordwind", "NW-1001")
    assert explained is not None
    assert explained.origin is not None
    assert (explained.item.price, explained.item.currency, explained.item.product) == (Decimal(13), "EUR", "P-1")
    assert [change.price for change in explained.history] == [Decimal(13), Decimal("12.5")]
    origin = explained.origin
    assert (origin.task_id, origin.row, origin.sheet, origin.column, origin.worker) == (
        seed.SECOND, 5, "Preise", "EK netto", "ingest-01",
    )  # fmt: skip
    assert await reports.explain_price("Nordwind", "NW-9") is None
    assert len(await reports.price_timeline("Nordwind", "NW-1001")) == 2
    assert await reports.price_timeline("Nordwind", "NW-9") == ()


async def test_price_changes_of_a_task_name_old_and_new(reports: Reports) -> None:
    [change] = await reports.price_changes(seed.SECOND)
    assert (change.sku, change.old, change.new) == ("NW-1001", Decimal("12.5"), Decimal(13))
    assert await reports.price_changes(seed.FIRST) == ()


async def test_suppliers_show_items_profile_and_last_task(reports: Reports) -> None:
    page = await reports.suppliers(limit=1)
    assert [supplier.name for supplier in page.items] == ["Acme"]
    rest = await reports.suppliers(limit=1, after=page.next)
    [nordwind] = rest.items
    assert (nordwind.items, nordwind.profile, nordwind.last_task) == (3, 1, seed.SECOND)
    assert await reports.supplier("Nord") is None


async def test_items_are_found_by_supplier_product_characteristics_price_and_time(reports: Reports) -> None:
    assert [item.sku for item in (await reports.items_of("Nordwind", after="NW-1001")).items] == ["NW-1002", "NW-1003"]
    assert [item.sku for item in (await reports.items_of_product("P-1")).items] == ["NW-1001"]
    assert [item.sku for item in (await reports.items_with({"farbe": "rot", "vpe": 2})).items] == ["NW-1002"]
    assert [item.sku for item in (await reports.items_with({"vpe": "2"})).items] == []
    seen, cursor = [], None
    while True:
        page = await reports.items_priced(Decimal(13), Decimal("31.5"), currency="EUR", after=cursor, limit=1)
        seen += [item.sku for item in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == ["NW-1001", "NW-1002", "NW-1003"]
    recent = await reports.recent_ingests(seed.T0, limit=2)
    assert len(recent.items) == 2
    assert len((await reports.recent_ingests(seed.T0, limit=2, after=recent.next)).items) == 1


async def test_products_by_status_and_offers_per_single_unit(reports: Reports) -> None:
    assert [product.internal_sku for product in (await reports.products("draft")).items] == ["P-2"]
    [offer] = await reports.offers()
    assert (offer.internal_sku, offer.suppliers, offer.lowest, offer.highest) == (
        "P-1", 1, Decimal("0.13"), Decimal("0.13"),
    )  # fmt: skip
    assert [error.code for error in await reports.recent_errors(seed.T0 - timedelta(days=1))] == [
        "sku_missing",
        "price_not_a_number",
    ]


LEADING_INDEX = {
    "by_product": "ix_supplier_items_product_id",
    "by_characteristics": "ix_supplier_items_characteristics",
    "by_price": "ix_supplier_items_current_price",
    "recent_ingests": "ix_supplier_items_last_ingested_at",
    "recent_errors": "ix_parsing_logs_created_at",
    "by_status": "ix_products_status",
    "offers": "ix_supplier_items_product_id",
}

ARGUMENTS = {
    "by_product": "'P-1', NULL, 50",
    "by_characteristics": """'{"farbe": "rot"}', NULL, 50""",
    "by_price": "1, 2, NULL, NULL, NULL, 50",
    "recent_ingests": "now() - interval '1 h', NULL, NULL, 50",
    "recent_errors": "now() - interval '1 h', NULL, 50",
    "by_status": "'active', NULL, 50",
    "offers": "NULL, 50",
}


VOLUME = """
INSERT INTO products (internal_sku, name, status)
  SELECT 'V-' || n, 'V', CASE WHEN n % 50 = 0 THEN 'active' ELSE 'draft' END::product_status
  FROM generate_series(1, 5000) n;
INSERT INTO supplier_items (supplier_id, product_id, key_hash, supplier_sku, name, current_price, currency,
    characteristics, as_of, task_key, source_row, last_ingested_at)
  SELECT s.id, p.id, 0, p.internal_sku || '-' || k, 'V', 50 + k + length(p.internal_sku), 'EUR',
    jsonb_build_object('k', p.internal_sku), now(), 1, 1, now() - interval '90 days' * k / 4
  FROM suppliers s, generate_series(1, 4) k, products p WHERE s.name = 'Acme' AND p.internal_sku LIKE 'V-%'
  ORDER BY k DESC;
INSERT INTO parsing_logs (task_id, error_type, error_message, row_number, created_at)
  SELECT 'v', 'sku_missing', 'x', n, now() - interval '1 minute' * (30000 - n) FROM generate_series(1, 30000) n;
ANALYZE;
"""


async def test_the_listed_queries_use_their_index_of_their_own_accord(reports: Reports, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(VOLUME)
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    unused = []
    for name, query in LISTED.items():
        await connection.execute(f"PREPARE {name} AS {query}")
        plan = "\n".join(line[0] for line in await connection.fetch(f"EXPLAIN EXECUTE {name} ({ARGUMENTS[name]})"))
        if (
            LEADING_INDEX[name] not in plan
            or "Seq Scan on supplier_items" in plan
            or "Seq Scan on parsing_logs" in plan
        ):
            unused.append(f"{name}:\n{plan}")
    await connection.close()
    assert not unused, "\n\n".join(unused)


async def test_a_database_without_tables_says_what_to_do(blank_url: str) -> None:
    reports = await Reports.open(blank_url)
    with pytest.raises(TablesMissing) as caught:
        await reports.status()
    await reports.close()
    assert caught.value.next_step == "pricemill db upgrade"
