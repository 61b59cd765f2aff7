"""Runs orders through the whole product: producer, ledger, queue and one worker in this process, on scratch servers."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from benchmarks.corpus_order import Order
from benchmarks.corpus_outcome import Outcome
from cli.hand_in import recognise
from config.settings import Settings
from contracts.errors import PricemillError
from contracts.task import ParseTask, TaskOptions
from db import embedded
from db.engine import plain_url
from db.holds import PostgresHolds
from observability.logging import configure
from workers.app import open_app
from workers.fleet import run_worker

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Of the first round; each later round is a day newer, so that its lists are."""

TASK = """
SELECT t.status::text, t.result::text, extract(epoch FROM t.finished_at - t.started_at)::float8,
       (SELECT d.error::text FROM dead_letters d WHERE d.task_key = t.id ORDER BY d.id DESC LIMIT 1)
  FROM tasks t WHERE t.task_id = $1
"""
ITEMS = """
SELECT i.supplier_sku, i.name, i.current_price, i.currency, i.price_basis, i.source_row
  FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id WHERE s.name = $1
"""
REJECTS = "SELECT row_number, error_type FROM parsing_logs WHERE task_id = $1 AND row_number IS NOT NULL"
HELD = "SELECT h.id, t.task_id FROM held_rows h JOIN tasks t ON t.id = h.task_key WHERE h.status = 'open'"
CHANGES = """
SELECT count(*) FILTER (WHERE before = 0 AND now > 0), count(*) FILTER (WHERE before > 0 AND now > 0)
  FROM (SELECT count(*) FILTER (WHERE t.task_id = $1) AS now, count(*) FILTER (WHERE t.task_id = $2) AS before
          FROM price_history h JOIN tasks t ON t.id = h.task_key
         WHERE t.task_id IN ($1, $2) GROUP BY h.supplier_item_id) items
"""


class Stored:
    """What the tables hold; read when all rounds are over."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def outcome(self, task_id: str) -> Outcome:
        row = await self._connection.fetchrow(TASK, task_id)
        if row is None:
            return Outcome("unknown")
        status, result, seconds, error = row
        return Outcome(
            status, None if result is None else json.loads(result), json.loads(error) if error else None, seconds or 0.0
        )

    async def items(self, supplier: str) -> list[asyncpg.Record]:
        return list(await self._connection.fetch(ITEMS, supplier))

    async def rejects(self, task_id: str) -> dict[int, str]:
        return {row[0]: row[1] for row in await self._connection.fetch(REJECTS, task_id)}

    async def changes(self, older: str, newer: str) -> tuple[int, int]:
        """Items that the newer task added, and those whose price it changed after the older one."""
        row = await self._connection.fetchrow(CHANGES, newer, older)
        return (0, 0) if row is None else (row[0], row[1])


@contextmanager
def scratch(root: Path) -> Iterator[Settings]:
    """Settings of an installation in a temporary directory whose servers write nothing safely; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="pricemill-corpus-"))
    server = embedded.start(home, durable=False)
    try:
        yield Settings(
            _env_file=None,
            data_dir=home,
            source_roots=(root,),
            concurrency=2,
            time_limit_seconds=600,
            log_level="ERROR",
        )
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)


async def work(settings: Settings, orders: Sequence[Order], *, turn: int) -> dict[str, Outcome]:
    """One round: hands in each order and runs a worker until nothing waits. Answers the orders that no parser takes;
    the others stand in the ledger under their task ids."""
    configure(level="ERROR")
    refused: dict[str, Outcome] = {}
    async with open_app(settings) as app:
        tasks = []
        for order in orders:
            try:
                parser = await asyncio.to_thread(recognise, order.path)
            except PricemillError as error:
                refused[order.task_id(turn)] = Outcome(
                    "refused", error={"code": error.code, "message": error.message, "next_step": error.next_step}
                )
                continue
            if order.profile is not None:
                await app.profiles.add(order.supplier, dict(order.profile), created_by="corpus")
            tasks.append(
                ParseTask.model_validate(
                    {
                        "task_id": order.task_id(turn),
                        "parser_type": parser,
                        "supplier_name": order.supplier,
                        "source_config": {"file_path": str(order.path), **order.source},
                        "as_of": EPOCH + timedelta(days=turn),
                        "options": TaskOptions.model_validate({"duplicates": order.duplicates}),
                    }
                )
            )
        await app.producer.enqueue_many(tasks)
        await run_worker(app, burst=True, signals=False)
    return refused


async def approve_held(url: str) -> Counter[str]:
    """Lets every price through that was held for its jump, as a person would; how many of each task."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(HELD)
    finally:
        await connection.close()
    async with PostgresHolds.open(url) as holds:
        await holds.approve([row["id"] for row in rows], actor="corpus")
    return Counter(row["task_id"] for row in rows)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """URL of the scratch database."""
    server = embedded.start(settings.data_dir, durable=False)
    try:
        yield plain_url(server.url)
    finally:
        server.close()
